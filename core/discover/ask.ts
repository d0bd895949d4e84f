import { readAtMost } from '../http/limited.ts'

/** What a program on this machine answered to a GET. */
export interface Said {
  readonly status: number
  readonly headers: Headers
  /** Empty when there was too much of it. */
  readonly text: string
  /** The text as JSON, when it is an object. */
  readonly json: Readonly<Record<string, unknown>> | undefined
}

/** `nobody`: nothing listens there. `silent`: something does, and has not answered in time. `noise`: its answer is not HTTP. */
export type Heard = Said | 'nobody' | 'silent' | 'noise'

/** A list of models is long when each brings its licence. */
const longest = 8 * 1024 * 1024

/** Asks a program on this machine. Never rejects. */
export async function ask(url: string, signal: AbortSignal): Promise<Heard> {
  try {
    // No proxy: HTTP_PROXY would be asked for its own machine. No kept connection: it is needed once.
    const init = { headers: { accept: 'application/json' }, redirect: 'manual', proxy: false, keepalive: false, signal }
    const response = await fetch(url, init as unknown as RequestInit)
    const text = new TextDecoder().decode(await readAtMost(response.body, longest))
    return { status: response.status, headers: response.headers, text, json: parse(text) }
  } catch (error) {
    if (signal.aborted) return 'silent'
    return notConnected.test(String((error as { code?: unknown }).code)) ? 'nobody' : 'noise'
  }
}

const notConnected = /^(ConnectionRefused|FailedToOpenSocket|ECONNREFUSED|EADDRNOTAVAIL|ENETUNREACH|EHOSTUNREACH)$/

function parse(text: string): Said['json'] {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Said['json']) : undefined
  } catch {
    return undefined
  }
}
