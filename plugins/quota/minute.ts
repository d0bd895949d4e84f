import { type Bucket, type Context, type Gateway, GatewayError, type IndexedKey, type MaybePromise, type Take } from 'gatehouse'
import { whenKnown } from './when-known.ts'

/** Charges what was really used of a minute; only once. */
export type SettleMinute = (used: number) => void

/** The bucket of a key. */
interface Named {
  readonly name: string
  readonly bucket: Bucket
  readonly limit: string
}

/** Takes tokens of the minute before a request, by their bound, or refuses it. */
export function createMinute({ store, log }: Pick<Gateway, 'store' | 'log'>) {
  const named = new WeakMap<IndexedKey, Named>()
  const nameOf = (key: IndexedKey, perMinute: number): Named => {
    const known = named.get(key) ?? { name: `tokens:${key.id}`, bucket: { perMinute, burst: perMinute }, limit: String(perMinute) }
    named.set(key, known)
    return known
  }
  return (ctx: Context, key: IndexedKey, cost: number): MaybePromise<SettleMinute> => {
    const perMinute = key.tokensPerMinute
    if (perMinute === null) return nothing
    const { name, bucket, limit } = nameOf(key, perMinute)
    ctx.headers.set('x-ratelimit-limit-tokens', limit)
    if (perMinute === 0) throw tooFast(ctx, 60_000, { perMinute: 0, wanted: 0 })
    const taken = Math.min(cost, perMinute) // one that is more than a whole minute has to go through some time
    return whenKnown(store.take(name, bucket, taken), (answer: Take): SettleMinute => {
      if (!answer.allowed) throw tooFast(ctx, answer.retryAfterMs, { perMinute, wanted: taken })
      ctx.headers.set('x-ratelimit-remaining-tokens', String(answer.remaining))
      ctx.headers.set('x-ratelimit-reset-tokens', `${Math.ceil(answer.resetMs)}ms`)
      return used => {
        try {
          const given = store.giveBack(name, bucket, taken - used)
          if (given instanceof Promise) given.catch(complain)
        } catch (err) {
          complain(err)
        }
      }
    })
  }

  function complain(err: unknown): void {
    log.warn({ err }, 'tokens of a minute could not be given back')
  }
}

const nothing: SettleMinute = () => {}

function tooFast(
  { headers }: Context,
  retryAfterMs: number,
  { perMinute, wanted }: { readonly perMinute: number; readonly wanted: number },
) {
  const perMs = perMinute / 60_000
  const resetMs = perMinute === 0 ? retryAfterMs : retryAfterMs + (perMinute - wanted) / perMs
  headers.set('x-ratelimit-remaining-tokens', String(Math.max(0, Math.floor(wanted - retryAfterMs * perMs))))
  headers.set('x-ratelimit-reset-tokens', `${Math.ceil(resetMs)}ms`)
  return new GatewayError(429, 'rate_limit_error', 'rate_limit_exceeded', 'Rate limit exceeded: too many tokens per minute', {
    headers: { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) },
  })
}
