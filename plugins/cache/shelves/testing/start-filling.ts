import { join } from 'node:path'

/** A process that fills a shelf. */
export interface Filling {
  /** Resolves when it says the next time that all up to a number is safe; rejects with what else it says. */
  safe(): Promise<number>
  /** Ends it as a power cut would end it. Resolves with the last number it said. */
  kill(): Promise<number>
}

/** Starts one at a number; `filling.ts` is what it runs. */
export function startFilling(path: string, first: number): Filling {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'filling.ts'), path, String(first)], {
    stdout: 'pipe',
    stderr: 'inherit',
  })
  let last = first - 1
  let told = Promise.withResolvers<number>()
  const ended = (async () => {
    let text = ''
    const decoder = new TextDecoder()
    for await (const bytes of child.stdout) {
      text += decoder.decode(bytes, { stream: true })
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) {
        last = Number(line)
        if (Number.isNaN(last)) told.reject(new Error(line))
        else told.resolve(last)
        told = Promise.withResolvers()
        told.promise.catch(() => {})
      }
    }
  })()
  return {
    safe: () => told.promise,
    async kill() {
      child.kill('SIGKILL')
      await Promise.all([child.exited, ended])
      return last
    },
  }
}
