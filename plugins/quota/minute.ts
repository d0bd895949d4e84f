import { type Bucket, type Context, type Gateway, GatewayError, type IndexedKey, type MaybePromise, type Take } from 'gatehouse'

/** The bucket of a key. */
interface Named {
  readonly name: string
  readonly bucket: Bucket
  readonly limit: string
}

/** Tokens that were taken of a minute. */
export interface Taken {
  readonly from: Named
  readonly tokens: number
}

/** Takes tokens of the minute before a request, by their bound, or refuses it. */
export function createMinute({ store, log }: Pick<Gateway, 'store' | 'log'>) {
  const named = new WeakMap<IndexedKey, Named>()
  const nameOf = (key: IndexedKey, perMinute: number): Named => {
    const known = named.get(key) ?? { name: `tokens:${key.id}`, bucket: { perMinute, burst: perMinute }, limit: String(perMinute) }
    named.set(key, known)
    return known
  }
  const admit = (ctx: Context, from: Named, tokens: number, answer: Take): Taken => {
    if (!answer.allowed) throw tooFast(ctx, answer.retryAfterMs, from.bucket, tokens)
    ctx.headers.set('x-ratelimit-remaining-tokens', String(answer.remaining))
    ctx.headers.set('x-ratelimit-reset-tokens', `${Math.ceil(answer.resetMs)}ms`)
    return { from, tokens }
  }
  const complain = (err: unknown) => log.warn({ err }, 'tokens of a minute could not be given back')

  return {
    take(ctx: Context, key: IndexedKey, cost: number): MaybePromise<Taken | undefined> {
      const perMinute = key.tokensPerMinute
      if (perMinute === null) return
      const from = nameOf(key, perMinute)
      ctx.headers.set('x-ratelimit-limit-tokens', from.limit)
      if (perMinute === 0) throw tooFast(ctx, 60_000, from.bucket, 0)
      const tokens = Math.min(cost, perMinute) // one that is more than a whole minute has to go through some time
      const answer = store.take(from.name, from.bucket, tokens)
      return answer instanceof Promise ? answer.then(late => admit(ctx, from, tokens, late)) : admit(ctx, from, tokens, answer)
    },
    /** Charges what was really used. */
    settle(taken: Taken | undefined, used: number): void {
      if (!taken) return
      try {
        const given = store.giveBack(taken.from.name, taken.from.bucket, taken.tokens - used)
        if (given instanceof Promise) given.catch(complain)
      } catch (err) {
        complain(err)
      }
    },
  }
}

function tooFast({ headers }: Context, retryAfterMs: number, { perMinute, burst }: Bucket, wanted: number): GatewayError {
  const perMs = perMinute / 60_000
  const resetMs = perMinute === 0 ? retryAfterMs : retryAfterMs + (burst - wanted) / perMs
  headers.set('x-ratelimit-remaining-tokens', String(Math.max(0, Math.floor(wanted - retryAfterMs * perMs))))
  headers.set('x-ratelimit-reset-tokens', `${Math.ceil(resetMs)}ms`)
  return new GatewayError(429, 'rate_limit_error', 'rate_limit_exceeded', 'Rate limit exceeded: too many tokens per minute', {
    headers: { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) },
  })
}
