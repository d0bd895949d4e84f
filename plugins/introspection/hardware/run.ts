import type { Run } from './probe.ts'

/** No tool we ask writes more than this; one that does is cut off. */
const mostBytes = 1024 * 1024

/** What a tool needs to find itself and its driver. Nothing else: the rest of our environment holds keys. */
const passedOn = ['PATH', 'HOME', 'LD_LIBRARY_PATH', 'SystemRoot', 'windir', 'ComSpec', 'PATHEXT', 'PSModulePath', 'TEMP', 'TMP']

/** Runs a program without a shell and without our secrets. Killed with all it started when the signal aborts. */
export const runTool: Run = async ([name = '', ...args], signal) => {
  const file = signal.aborted ? null : Bun.which(name)
  if (!file) return
  const env = Object.fromEntries(passedOn.flatMap(key => (process.env[key] === undefined ? [] : [[key, process.env[key]]])))
  let child: ReturnType<typeof start>
  try {
    child = start([file, ...args], { ...env, LC_ALL: 'C' })
  } catch {
    return // not executable, or no more processes
  }
  const end = () => {
    if (child.exitCode === null) kill(child.pid)
  }
  signal.addEventListener('abort', end, { once: true })
  const aborted = new Promise<undefined>(resolve => signal.addEventListener('abort', () => resolve(undefined), { once: true }))
  try {
    // a grandchild may hold the pipe open for longer than the child lives, so reading must not be waited for alone
    return await Promise.race([aborted, collect(child)])
  } finally {
    signal.removeEventListener('abort', end)
    end()
  }
}

const start = (command: readonly string[], env: Record<string, string | undefined>) =>
  Bun.spawn([...command], {
    env,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'ignore',
    windowsHide: true,
    detached: process.platform !== 'win32',
  })

async function collect(child: ReturnType<typeof start>): Promise<string | undefined> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of child.stdout) {
    bytes += part.byteLength
    if (bytes > mostBytes) return
    parts.push(part)
  }
  return (await child.exited) === 0 ? new TextDecoder().decode(Buffer.concat(parts)) : undefined
}

/** The child is the leader of its own group, so that what it started ends with it. */
function kill(pid: number): void {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL')
  } catch {
    // it has ended
  }
}
