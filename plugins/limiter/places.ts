import { type Context, type Gateway, GatewayError, type IndexedKey, type LeaseAnswer, type MaybePromise, type Next } from 'gatehouse'

/** How many requests a key may have at a time. A place is held until the last byte has left. */
export function createPlaces({ leases, log }: Pick<Gateway, 'leases' | 'log'>) {
  const admit = (ctx: Context, limit: number, answer: LeaseAnswer, next: Next): MaybePromise<Response> => {
    if (!answer.granted) {
      log.warn(
        { request_id: ctx.id, key_id: ctx.principal.id, held: answer.held, limiter_decision: 'too_many_at_once' },
        'Rate limit exceeded',
      )
      throw new GatewayError(
        429,
        'rate_limit_error',
        'too_many_concurrent_requests',
        `Rate limit exceeded: this API key may have ${limit} ${limit === 1 ? 'request' : 'requests'} at a time`,
        { headers: { 'retry-after': '1' } },
      )
    }
    ctx.onSettled(answer.lease.release)
    return next()
  }
  const names = new WeakMap<IndexedKey, string>()
  const nameOf = (key: IndexedKey): string => {
    const name = names.get(key) ?? `key:${key.id}`
    names.set(key, name)
    return name
  }
  return {
    take(ctx: Context, key: IndexedKey, next: Next): MaybePromise<Response> {
      const { maxConcurrency } = key
      if (maxConcurrency === null) return next()
      const answer = leases.take(nameOf(key), maxConcurrency)
      if (!(answer instanceof Promise)) return admit(ctx, maxConcurrency, answer, next)
      return answer.then(late => {
        // whoever left meanwhile is told of its end at once, or not at all
        if (late.granted && ctx.signal.aborted) late.lease.release()
        ctx.signal.throwIfAborted()
        return admit(ctx, maxConcurrency, late, next)
      })
    },
  }
}
