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

  const refuse = (ctx: Context, retryAfterMs: number): GatewayError => {
    const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000))
    ctx.headers.set('x-ratelimit-remaining-requests', '0')
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
  const admit = (ctx: Context, limit: string, taken: Take, next: Next) => {
    ctx.headers.set('x-ratelimit-limit-requests', limit)
    if (!taken.allowed) throw refuse(ctx, taken.retryAfterMs)
    ctx.headers.set('x-ratelimit-remaining-requests', String(Math.floor(taken.remaining)))
    ctx.headers.set('x-ratelimit-reset-requests', `${Math.ceil(taken.resetMs)}ms`)
    return next()
  }
  const take = (ctx: Context, { name, bucket, limit }: Named, next: Next): MaybePromise<Response> => {
    const taken = store.take(name, bucket)
    return taken instanceof Promise ? taken.then(late => admit(ctx, limit, late, next)) : admit(ctx, limit, taken, next)
  }

  return {
    take: (ctx: Context, next: Next) => take(ctx, ctx.access === 'admin' ? admin : all, next),
    takeOfKey(ctx: Context, key: IndexedKey, next: Next): MaybePromise<Response> {
      if (key.rateLimit === null) return next()
      if (key.rateLimit > 0) return take(ctx, ofKey(key, key.rateLimit), next)
      throw refuse(ctx, 60_000) // 0 is nothing
    },
  }
}
