import { join } from 'node:path'
import type { Order } from './reserver.ts'

/** A process with a ledger of its own; `reserver.ts` is what it runs. */
export interface Reserver extends AsyncDisposable {
  reserve(order: Omit<Extract<Order, { what: 'reserve' }>, 'what'>): Promise<number>
  settle(share: number): Promise<number>
  /** Ends it at once. */
  kill(): Promise<void>
}

export interface ReserverOptions {
  readonly folder: string
  readonly beatMs?: number
  readonly lastsMs?: number
}

/** Starts one and waits until it is ready. */
export async function startReserver(url: string, { folder, beatMs = 1000, lastsMs = 30_000 }: ReserverOptions): Promise<Reserver> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'reserver.ts'), url, folder, String(beatMs), String(lastsMs)], {
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const lines = linesOf(child.stdout)
  const nextLine = async () => (await lines.next()).value ?? raise()
  await nextLine()
  const obey = async (order: Order): Promise<Readonly<Record<string, number>>> => {
    child.stdin.write(`${JSON.stringify(order)}\n`)
    child.stdin.flush()
    return JSON.parse(await nextLine())
  }
  const kill = async () => {
    child.kill('SIGKILL')
    await child.exited
  }
  return {
    reserve: async order => (await obey({ what: 'reserve', ...order })).granted ?? 0,
    settle: async share => (await obey({ what: 'settle', share })).settled ?? 0,
    kill,
    [Symbol.asyncDispose]: kill,
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const part of stream) {
    const lines = (text + decoder.decode(part, { stream: true })).split('\n')
    text = lines.pop() ?? ''
    yield* lines
  }
  return undefined
}

function raise(): never {
  throw new Error('the process ended')
}
