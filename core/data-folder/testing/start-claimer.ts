import { join } from 'node:path'
import type { Answer, Command } from './claimer.ts'

/** A process of its own that claims data folders. */
export interface Claimer extends AsyncDisposable {
  readonly pid: number
  ask(command: Command): Promise<Answer>
  signal(name: NodeJS.Signals): Promise<void>
}

/** Starts one; it is killed when the test is over. */
export function startClaimer(): Claimer {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'claimer.ts')], { stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' })
  const lines = readLines(child.stdout)
  const signal = async (name: NodeJS.Signals) => {
    child.kill(name)
    await child.exited
  }
  return {
    pid: child.pid,
    async ask(command) {
      child.stdin.write(`${JSON.stringify(command)}\n`)
      await child.stdin.flush()
      const { value, done } = await lines.next()
      return done ? {} : JSON.parse(value)
    },
    signal,
    [Symbol.asyncDispose]: () => signal('SIGKILL'),
  }
}

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = lines.pop() as string
    yield* lines
  }
}
