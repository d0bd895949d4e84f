import type { Run } from './probe.ts'

/** No tool we ask writes more than this; one that does is cut off. */
const mostBytes = 1024 * 1024

/** What a tool needs to find itself and its driver. Nothing else: the rest of our environment holds keys. */
const passedOn = ['PATH', 'HOME', 'LD_LIBRARY_PATH', 'SystemRoot', 'windir', 'ComSpec', 'PATHEXT', 'PSModulePath', 'TEMP', 'TMP']

/** A process that the tool left behind may hold its output open; what the tool wrote is there long before this. */
const holdMs = 200

/** Runs a program without a shell and without our secrets. What it started is killed when it ends, or the signal aborts. */
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
  const { promise: over, resolve: giveUp } = Promise.withResolvers<'given up'>()
  const stop = () => giveUp('given up')
  signal.addEventListener('abort', stop, { once: true })
  const output = collect(child.stdout, stop)
  let held: Timer | undefined
  try {
    if ((await Promise.race([over, child.exited])) !== 0) return
    const hold = new Promise(resolve => {
      held = setTimeout(resolve, holdMs)
    })
    return (await Promise.race([over, output.ended, hold])) === 'given up' ? undefined : output.text()
  } finally {
    clearTimeout(held)
    signal.removeEventListener('abort', stop)
    killAll(child)
    output.drop()
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

/** Reads on while others wait for the tool to end. */
function collect(stream: ReadableStream<Uint8Array>, onTooMuch: () => void) {
  const reader = stream.getReader()
  const parts: Uint8Array[] = []
  let bytes = 0
  const read = async () => {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      bytes += part.value.byteLength
      if (bytes > mostBytes) return onTooMuch()
      parts.push(part.value)
    }
  }
  return {
    ended: read().catch(() => {}),
    text: () => new TextDecoder().decode(Buffer.concat(parts)),
    /** Lets go of the pipe, though somebody may still hold the other end. */
    drop: () => void reader.cancel().catch(() => {}),
  }
}

/** The tool is the leader of its own group, which outlives it as long as anybody is in it. Windows has no such groups. */
function killAll({ pid, exitCode }: { readonly pid: number; readonly exitCode: number | null }): void {
  try {
    if (process.platform !== 'win32') process.kill(-pid, 'SIGKILL')
    else if (exitCode === null) process.kill(pid, 'SIGKILL')
  } catch {
    // nobody is left
  }
}
