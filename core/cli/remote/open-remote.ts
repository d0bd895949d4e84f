import { ConfigError } from '../../errors.ts'
import { isEventStream } from '../../http/headers.ts'
import type { Place } from './place.ts'
import { type Mapping, type Method, readAnswer } from './read-answer.ts'
import { isBeforeArrival, whyUnreachable } from './why-unreachable.ts'

/** A gatehouse that runs, as its administrator sees it. */
export interface Remote {
  /**
   * Its JSON; empty when it answers 204. Throws a ConfigError with one line when there is none: not running, not let in,
   * refused, not a gatehouse.
   */
  ask(method: Method, path: string, body?: Mapping): Promise<Mapping>
  /** The bytes of an event stream, however long it goes on. Throws likewise when there is none. */
  stream(path: string): Promise<ReadableStream<Uint8Array>>
}

/** Somebody waits in front of a terminal. */
const usualWaitMs = 30_000

/** Lists have many pages, and a gatehouse takes only so many requests a second. */
const mostPauses = 10
const longestPauseMs = 5000

/** Speaks to the gatehouse at a place; each answer may take `waitMs`. */
export function openRemote(place: Place, waitMs = usualWaitMs): Remote {
  // who was never let in may have a wrong key, and each try with that is counted
  let letIn = false

  return {
    async ask(method, path, body) {
      try {
        let response = await send(place, method, path, body, AbortSignal.timeout(waitMs))
        for (let pauses = 0; letIn && pauses < mostPauses; pauses++) {
          const pauseMs = pauseOf(response)
          if (pauseMs === undefined) break
          await response.body?.cancel()
          await Bun.sleep(pauseMs)
          response = await send(place, method, path, body, AbortSignal.timeout(waitMs))
        }
        const answer = await readAnswer(response, method, path, place)
        letIn = true
        return answer
      } catch (error) {
        if (error instanceof ConfigError) throw error
        const why = whyUnreachable(error, place)
        if (method === 'GET' || isBeforeArrival(error)) throw why
        throw new ConfigError(`${why.message}; look whether the change was made all the same`, { cause: error })
      }
    },
    stream: path => openStream(place, path, waitMs),
  }
}

async function openStream(place: Place, path: string, waitMs: number): Promise<ReadableStream<Uint8Array>> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(new DOMException('', 'TimeoutError')), waitMs)
  try {
    const response = await send(place, 'GET', path, undefined, late.signal, 'text/event-stream')
    if (response.ok && isEventStream(response) && response.body) return response.body
    await readAnswer(response, 'GET', path, place)
    throw new ConfigError(`${place.name} has no stream of this; is that gatehouse of another release?`)
  } catch (error) {
    throw error instanceof ConfigError ? error : whyUnreachable(error, place)
  } finally {
    clearTimeout(timer)
  }
}

/** How long to wait before asking again: after a 429, which has changed nothing, that says so and means soon. */
function pauseOf({ status, headers }: Response): number | undefined {
  const seconds = headers.get('retry-after') ?? ''
  const ms = Number(seconds) * 1000
  return status === 429 && /^\d+$/.test(seconds) && ms <= longestPauseMs ? ms : undefined
}

const send = (
  { url, key, own }: Place,
  method: Method,
  path: string,
  body: Mapping | undefined,
  signal: AbortSignal,
  accept = 'application/json',
) =>
  fetch(`${url}${path}`, {
    method,
    signal,
    redirect: 'manual', // the key stays with whom it was meant for
    keepalive: false,
    timeout: false, // the signal keeps the time; a model may load for longer than the six minutes that are usual
    headers: {
      accept,
      ...(key !== undefined && { 'x-api-key': key }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(own && { proxy: false, tls: { rejectUnauthorized: false } }),
  } as RequestInit)
