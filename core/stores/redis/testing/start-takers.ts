import { join } from 'node:path'

/** Processes that take from the same buckets; `taker.ts` is what they run. */
export interface Takers extends AsyncDisposable {
  /** Each takes `times` times at once; resolves with how many each of them got. */
  take(order: {
    readonly key: string
    readonly perMinute: number
    readonly burst: number
    readonly cost: number
    readonly times: number
  }): Promise<readonly number[]>
}

/** Starts them, each with a store of its own on the same Redis. */
export async function startTakers(url: string, count: number): Promise<Takers> {
  const children = Array.from({ length: count }, () => {
    const child = Bun.spawn([process.execPath, join(import.meta.dir, 'taker.ts'), url], {
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'inherit',
    })
    return { child, nextLine: lineReader(child.stdout) }
  })
  await Promise.all(children.map(({ nextLine }) => nextLine()))
  return {
    take(order) {
      for (const { child } of children) {
        child.stdin.write(`${JSON.stringify(order)}\n`)
        child.stdin.flush()
      }
      return Promise.all(children.map(async ({ nextLine }) => Number(await nextLine())))
    },
    async [Symbol.asyncDispose]() {
      for (const { child } of children) child.kill('SIGKILL')
      await Promise.all(children.map(({ child }) => child.exited))
    },
  }
}

function lineReader(stream: ReadableStream<Uint8Array>): () => Promise<string> {
  const reader = stream.getReader()
  const decoder = new TextDecoder()
  let text = ''
  return async () => {
    while (!text.includes('\n')) {
      const { value, done } = await reader.read()
      if (done) throw new Error('the process ended')
      text += decoder.decode(value, { stream: true })
    }
    const [line = '', ...rest] = text.split('\n')
    text = rest.join('\n')
    return line
  }
}
