import { ConfigError } from '../../errors.ts'
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
}

/** Somebody waits in front of a terminal. */
const usualWaitMs = 30_000

/** Speaks to the gatehouse at a place; each answer may take `waitMs`. */
export const openRemote = (place: Place, waitMs = usualWaitMs): Remote => ({
  async ask(method, path, body) {
    try {
      return await readAnswer(await send(place, method, path, body, AbortSignal.timeout(waitMs)), method, path, place)
    } catch (error) {
      if (error instanceof ConfigError) throw error
      const why = whyUnreachable(error, place)
      if (method === 'GET' || isBeforeArrival(error)) throw why
      throw new ConfigError(`${why.message}; look whether the change was made all the same`, { cause: error })
    }
  },
})

const send = ({ url, key, own }: Place, method: Method, path: string, body: Mapping | undefined, signal: AbortSignal) =>
  fetch(`${url}${path}`, {
    method,
    signal,
    redirect: 'manual', // the key stays with whom it was meant for
    keepalive: false,
    headers: {
      accept: 'application/json',
      ...(key !== undefined && { 'x-api-key': key }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(own && { proxy: false, tls: { rejectUnauthorized: false } }),
  } as RequestInit)
