import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

const root = join(import.meta.dir, '..', '..')
const cache = join(root, 'node_modules', '.cache', 'gatehouse')

interface Pin {
  readonly version: string
  readonly integrity: string
}

/**
 * The path of Bun for another platform: exactly the one package-lock.json pins, from the registry npm is set up for.
 * `bun build --target` alone would ask one fixed address, whatever npm is told, and check no hash of ours.
 */
export async function fetchRuntime(name: string): Promise<string> {
  const { version, integrity } = await pinOf(name)
  const kept = join(cache, `${name.replace('@oven/', '')}-${version}`)
  if (existsSync(kept)) return kept
  await mkdir(cache, { recursive: true })
  const folder = await mkdtemp(join(cache, 'fetching-'))
  try {
    const tarball = await pack(`${name}@${version}`, folder)
    const file = join(folder, 'bun')
    await Bun.write(file, await unpackRuntime(tarball, { name, integrity }))
    await rename(file, kept) // whoever looks at the same time sees a whole file or none
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  return kept
}

/** The executable in a runtime's tarball; an error when the bytes are not the pinned ones. */
export async function unpackRuntime(tarball: Uint8Array, { name, integrity }: { name: string; integrity: string }): Promise<Blob> {
  const found = `sha512-${new Bun.CryptoHasher('sha512').update(tarball).digest('base64')}`
  if (found !== integrity) throw new Error(`${name}: the registry gave other bytes than package-lock.json pins (${found})`)
  const files = await new Bun.Archive(tarball).files('package/bin/*')
  const executable = files.get('package/bin/bun') ?? files.get('package/bin/bun.exe')
  if (!executable) throw new Error(`${name}: there is no bun in its bin/, only ${[...files.keys()].join(', ') || 'nothing'}`)
  return executable
}

async function pinOf(name: string): Promise<Pin> {
  const lock = (await Bun.file(join(root, 'package-lock.json')).json()) as { packages: Record<string, Pin | undefined> }
  const pin = lock.packages[`node_modules/${name}`]
  if (!pin) throw new Error(`package-lock.json does not pin ${name}`)
  if (pin.version !== Bun.version) throw new Error(`package-lock.json pins ${name} ${pin.version}, but this is Bun ${Bun.version}`)
  return pin
}

async function pack(spec: string, folder: string): Promise<Uint8Array> {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const child = Bun.spawn([npm, 'pack', spec, '--pack-destination', folder], {
    cwd: root,
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
  })
  const [said, code] = await Promise.all([child.stderr.text(), child.exited])
  const [tarball] = await readdir(folder)
  if (code !== 0 || tarball === undefined) throw new Error(`npm pack ${spec} ended with ${code}\n${said}`)
  return await Bun.file(join(folder, tarball)).bytes()
}
