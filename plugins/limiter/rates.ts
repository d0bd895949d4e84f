import { type Bucket, type Context, type Gateway, GatewayError, type IndexedKey, type MaybePromise, type Next, type Take } from 'gatehouse'

/** A bucket, by its name in the store. */
interface Named {
  readonly name: string
  readonly bucket: Bucket
  /** As clients see it. */
  readonly limit: string
}

/** How many requests there may be in a time. */
export function createRates({ store, config, log }: Pick<Gateway, 'store' | 'config' | 'log'>) {
  const rps = config.rate_limit_rps
  const perSecond = (name: string): Named => {
    const bucket = { perMinute: rps * 60, burst: Math.max(1, Math.floor(rps)) }
    return { name, bucket, limit: String(bucket.burst) }
  }
  const all = perSecond('rate:all')
  const admin = perSecond('rate:admin') // a crowd at the models must not keep the operator out
  const ofKeys = new WeakMap<IndexedKey, Named>()
  const ofKey = (key: IndexedKey, rate: number): Named => {
    let named = ofKeys.get(key)
    if (!named) {
      named = { name: `rate:key:${key.id}`, bucket: { perMinute: rate, burst: rate }, limit: String(rate) }
      ofKeys.set(key, named)
    }
    return named
  }

  const refuse = (ctx: Context, limit: string, retryAfterMs: number, resetMs: number): GatewayError => {
    const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000))
    show(ctx, limit, '0', resetMs)
    log.warn(
      {
        request_id: ctx.id,
        ip: ctx.ip,
        path: ctx.path,
        retry_after: Math.ceil(retryAfterMs),
        retry_after_seconds: seconds,
        limiter_decision: 'rate_limited',
      },
      'Rate limit exceeded',
    )
    return new GatewayError(429, 'rate_limit_error', 'rate_limit_exceeded', 'Rate limit exceeded', {
      headers: { 'retry-after': String(seconds) },
    })
  }
  const admit = (ctx: Context, { limit, bucket }: Named, taken: Take, own: Named | undefined, next: Next) => {
    if (!taken.allowed) {
      if (own) giveBack(own)
      // until it is as empty as it was once
      throw refuse(ctx, limit, taken.retryAfterMs, taken.retryAfterMs + ((bucket.burst - 1) / bucket.perMinute) * 60_000)
    }
    if (!own) show(ctx, limit, String(Math.floor(taken.remaining)), taken.resetMs)
    return next()
  }
  const take = (ctx: Context, named: Named, own: Named | undefined, next: Next): MaybePromise<Response> => {
    const taken = store.take(named.name, named.bucket)
    return taken instanceof Promise ? taken.then(late => admit(ctx, named, late, own, next)) : admit(ctx, named, taken, own, next)
  }
  const giveBack = async ({ name, bucket }: Named) => {
    try {
      await store.giveBack(name, bucket, 1)
    } catch (err) {
      log.warn({ err }, 'a request of a minute could not be given back')
    }
  }

  return {
    /** Of all requests; the caller sees it where it has no rate of its own, which it gets back when this one refuses. */
    take(ctx: Context, next: Next): MaybePromise<Response> {
      const { key } = ctx.principal
      return take(ctx, isOperator(ctx) ? admin : all, key?.rateLimit ? ofKey(key, key.rateLimit) : undefined, next)
    },
    takeOfKey(ctx: Context, key: IndexedKey, next: Next): MaybePromise<Response> {
      if (key.rateLimit === null) return next()
      if (key.rateLimit > 0) return take(ctx, ofKey(key, key.rateLimit), undefined, next)
      throw refuse(ctx, '0', 60_000, 60_000) // 0 is nothing
    },
  }
}

const isOperator = ({ access, principal }: Context) => access === 'admin' || (access === 'named' && principal.kind === 'admin')

function show({ headers }: Context, limit: string, remaining: string, resetMs: number): void {
  headers.set('x-ratelimit-limit-requests', limit)
  headers.set('x-ratelimit-remaining-requests', remaining)
  headers.set('x-ratelimit-reset-requests', `${Math.ceil(resetMs)}ms`)
}
