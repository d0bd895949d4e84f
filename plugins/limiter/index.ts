import { type Context, definePlugin, GatewayError, type Next, type Take, v } from 'gatehouse'

/** `RATE_LIMIT_RPS`: one leaky bucket for the model API, MCP and unknown paths together. */
export default definePlugin({
  name: 'limiter',
  guards: 'everything',
  // `rpm` is what managed keys get, from the release that brings them
  options: v.strictObject({ rpm: v.optional(v.number()) }),
  setup(_, { store, config, log }) {
    const rps = config.rate_limit_rps
    const bucket = { perMinute: rps * 60, burst: Math.max(1, Math.floor(rps)) }
    const limit = String(bucket.burst)

    const admit = (ctx: Context, taken: Take, next: Next) => {
      ctx.headers.set('x-ratelimit-limit-requests', limit)
      if (!taken.allowed) throw refuse(ctx, taken.retryAfterMs)
      ctx.headers.set('x-ratelimit-remaining-requests', String(taken.remaining))
      ctx.headers.set('x-ratelimit-reset-requests', `${Math.ceil(taken.resetMs)}ms`)
      return next()
    }
    const refuse = (ctx: Context, retryAfterMs: number): GatewayError => {
      const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000))
      ctx.headers.set('x-ratelimit-remaining-requests', '0')
      log.warn(
        {
          request_id: ctx.id,
          ip: ctx.ip,
          path: ctx.url.pathname,
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

    return {
      handle(ctx, next) {
        if (!ctx.limited) return next()
        const taken = store.take('rate:all', bucket)
        return taken instanceof Promise ? taken.then(late => admit(ctx, late, next)) : admit(ctx, taken, next)
      },
    }
  },
})
