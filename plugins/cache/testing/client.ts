import type { House } from '../../../core/testing/open-house.ts'

/** How a client's answer ended: as it should, in the middle, or because the client had enough. */
export type End = 'complete' | 'broken' | 'left'

/** One request whose answer is watched while it comes. */
export interface Client {
  /** Rejects when there is none: the client left before, or the connection broke. */
  readonly response: Promise<Response>
  /** What came so far. */
  readonly text: string
  readonly bytes: Buffer
  /** The pieces as they came. */
  readonly pieces: readonly Uint8Array[]
  /** Never rejects. */
  readonly ended: Promise<End>
  /** `X-Cache` of the answer. */
  readonly cache: Promise<string | null>
  /** Resolves when so many bytes are there, or when the answer is over. */
  until(bytes: number): Promise<void>
  /** Closes the connection. */
  leave(): void
}

/** Sends a request and reads its answer as fast as it comes. */
export function openClient(url: string, body: string, headers: Readonly<Record<string, string>> = {}): Client {
  const leaving = new AbortController()
  const pieces: Uint8Array[] = []
  let length = 0
  let over = false
  let waiting: { readonly bytes: number; readonly resolve: () => void }[] = []
  const wake = () => {
    const due = waiting.filter(({ bytes }) => over || bytes <= length)
    waiting = waiting.filter(one => !due.includes(one))
    for (const { resolve } of due) resolve()
  }

  const response = fetch(url, { method: 'POST', body, headers, signal: leaving.signal, keepalive: false })
  const read = async (): Promise<End> => {
    try {
      for await (const piece of (await response).body ?? []) {
        pieces.push(piece as Uint8Array)
        length += (piece as Uint8Array).length
        wake()
      }
      return 'complete'
    } catch {
      return leaving.signal.aborted ? 'left' : 'broken'
    } finally {
      over = true
      wake()
    }
  }
  const ended = read()
  const cache = response.then(({ headers }) => headers.get('x-cache'))
  for (const promise of [response, cache]) promise.catch(() => {}) // nobody need ask
  return {
    response,
    get text() {
      return Buffer.concat(pieces).toString()
    },
    get bytes() {
      return Buffer.concat(pieces)
    },
    pieces,
    ended,
    cache,
    until: bytes =>
      new Promise(resolve => {
        waiting.push({ bytes, resolve })
        wake()
      }),
    leave: () => leaving.abort(),
  }
}

/** Resolves once `check` holds; for what tells nobody when it changes. */
export async function eventually(check: () => boolean | Promise<boolean>, what: string, ms = 5000): Promise<void> {
  const deadline = performance.now() + ms
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`waited ${ms} ms in vain for: ${what}`)
    await Bun.sleep(2)
  }
}

/** Resolves once so many requests are in flight. */
export const arrived = (house: House, count: number): Promise<void> =>
  eventually(() => house.serving.gateway.exchanges.list().length === count, `${count} requests in flight`)

/** How all of them ended. */
export const allEnded = (clients: readonly Client[]): Promise<readonly End[]> => Promise.all(clients.map(({ ended }) => ended))
