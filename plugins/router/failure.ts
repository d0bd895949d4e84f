import { GatewayError, readUpstreamError, type StreamFailure } from 'gatehouse'
import { busy, midStream, notOffered, unavailable, wrongRequest } from './words.ts'

/** Why one attempt gave no answer, and what may be tried instead. */
export interface Failure {
  readonly error: GatewayError
  /** `again`: the same target may be asked again. `elsewhere`: only another one. `never`: the request itself is wrong. */
  readonly retry: 'again' | 'elsewhere' | 'never'
  /** How long the backend asked us to wait, in milliseconds. */
  readonly afterMs?: number
}

/** First pause; each further one is twice as long. */
const firstPauseMs = 100
/** A backend that wants a longer pause than this is not waited for: the client is told instead. */
export const longestPauseMs = 5_000

/**
 * Milliseconds to wait before the next try, or undefined when waiting would take too long. Half of the
 * back-off is random, so that many clients of a backend that comes back do not arrive as one.
 */
export function pause(round: number, failure: Failure, random: () => number = Math.random): number | undefined {
  const backoff = firstPauseMs * 2 ** (round - 1)
  const wait = Math.max(failure.afterMs ?? 0, backoff / 2 + (random() * backoff) / 2)
  return wait > longestPauseMs ? undefined : wait
}

/** What was thrown while sending. */
export function thrown(error: unknown): Failure {
  if (!(error instanceof GatewayError)) throw error // a bug in an adapter: not to be papered over by another backend
  if (error.status < 500) return { error, retry: 'never' }
  return { error, retry: error.extra.neverReached ? 'again' : 'elsewhere' }
}

/** What an error status of a backend means. */
export async function refused(response: Response): Promise<Failure> {
  const { status } = response
  const said = await readUpstreamError(response)
  const afterMs = retryAfter(response.headers.get('retry-after'))
  const wait = afterMs === undefined ? {} : { afterMs }
  const headers = afterMs === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(afterMs / 1000))) }
  if (status === 401 || status === 403 || status === 407) {
    const error = new GatewayError(502, 'server_error', 'bad_gateway', "The model backend refused gatehouse's own credentials.")
    return { error, retry: 'elsewhere' }
  }
  if (status === 429) return { error: busy(said, headers), retry: 'again', ...wait }
  if (status < 500) return { error: wrongRequest(status, said), retry: 'never' }
  if (status === 503) return { error: unavailable(said, headers), retry: 'again', ...wait }
  if (status === 501) return { error: notOffered(said), retry: 'elsewhere' }
  const error = new GatewayError(status === 504 ? 504 : 502, 'server_error', 'bad_gateway', said.message)
  return { error, retry: status === 502 || status === 504 ? 'again' : 'elsewhere' }
}

/** What a stream that failed before its first event means. */
export function brokenStream(failure: StreamFailure): Failure {
  const { status } = failure
  if (status !== undefined && status >= 400 && status < 500) return { error: wrongRequest(status, failure), retry: 'never' }
  return { error: midStream(failure), retry: 'elsewhere' }
}

/** `Retry-After` in milliseconds: seconds or an HTTP date (RFC 9110, 10.2.3). */
export function retryAfter(value: string | null, now: () => number = Date.now): number | undefined {
  if (value === null) return
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now())
}
