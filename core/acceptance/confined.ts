import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gatehouseCommand } from '../testing/gatehouse-process.ts'
import { environment } from './harness.ts'

/** In a mount namespace of its own, where the files of the kernel say how much memory there is to have. */
const inNamespace = (bytes: number, command: readonly string[]): string[] => {
  const limits = 'memory.max memory/memory.limit_in_bytes' // the second and the first version of control groups
  const mount = 'mount -t tmpfs none /sys/fs/cgroup && cd /sys/fs/cgroup && mkdir memory'
  const script = `(${mount} && echo ${bytes} | tee ${limits} >/dev/null) && exec "$@"`
  return ['unshare', '--map-root-user', '--mount', 'sh', '-c', script, 'sh', ...command]
}

/** Whether this machine lets its users have such a namespace. */
export const canConfine = (): boolean =>
  process.platform === 'linux' && Bun.which('unshare') !== null && Bun.spawnSync(inNamespace(1, ['true'])).exitCode === 0

/** A gatehouse that believes to run in a container with this much memory. */
export async function confinedTo(bytes: number, env: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'))
  const child = Bun.spawn(inNamespace(bytes, [...gatehouseCommand, 'serve', '--port', '0']), {
    cwd: folder,
    env: { ...environment(), HOME: folder, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'ignore',
  })
  const dispose = async () => {
    child.kill('SIGKILL')
    await child.exited
    rmSync(folder, { recursive: true, force: true })
  }
  let said = ''
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    said += text
    const port = said.match(/"port":(\d+)/)?.[1]
    if (port) return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: dispose }
  }
  await dispose()
  throw new Error(`it did not start: ${said}`)
}
