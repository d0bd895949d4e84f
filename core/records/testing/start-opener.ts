import { join } from 'node:path'

/** A process of its own that has opened records, or tried to. */
export interface Opener extends AsyncDisposable {
  /** `open`, or why not. */
  readonly said: string
  /** Lets it close them and end. */
  leave(): Promise<void>
  kill(): Promise<void>
}

/** Starts one; it is killed when the test is over. */
export async function startOpener(path: string, ...rights: readonly 'nobody'[]): Promise<Opener> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'opener.ts'), path, ...rights], {
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const reader = child.stdout.getReader()
  let said = ''
  while (!said.includes('\n')) {
    const { value, done } = await reader.read()
    if (done) break
    said += new TextDecoder().decode(value)
  }
  const kill = async () => {
    child.kill('SIGKILL')
    await child.exited
  }
  return {
    said: said.trim(),
    async leave() {
      await child.stdin.end()
      await child.exited
    },
    kill,
    [Symbol.asyncDispose]: kill,
  }
}
