/** `npm run build:all` → the eight files of a release in dist/, checked, and their SHA256SUMS. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findFaults } from './check.ts'
import { checksumLines } from './checksums.ts'
import { compile } from './compile.ts'
import { signAdHoc } from './macho/sign.ts'
import { fetchRuntime } from './runtime.ts'
import { type Target, targets } from './targets.ts'

const dist = join(import.meta.dir, '..', '..', 'dist')
const sums = join(dist, 'SHA256SUMS')

async function build(target: Target): Promise<void> {
  const outfile = join(dist, target.file)
  await compile({ outfile, cross: { platform: target.platform, runtime: await fetchRuntime(target.runtime) } })
  if (target.machine === 'mach-o-x64') await replace(outfile, signAdHoc(await readFile(outfile), 'gatehouse'))
  const faults = findFaults(outfile, target)
  if (faults.length > 0) throw new Error(`${target.file} is not fit to be shipped: ${faults.join('; ')}`)
  console.log(`| \`${target.file}\` | ${(Bun.file(outfile).size / 1e6).toFixed(1)} MB |`)
}

/** As a file of its own: macOS remembers the signature of one that is written over. */
async function replace(file: string, bytes: Buffer): Promise<void> {
  await rm(file)
  await writeFile(file, bytes, { mode: 0o755 })
}

await mkdir(dist, { recursive: true })
await rm(sums, { force: true }) // they stand for a whole set: gone first, back last
for (const target of targets) await build(target)
const names = targets.map(({ file }) => file)
await writeFile(sums, await checksumLines(dist, names))
