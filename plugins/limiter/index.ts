import { definePlugin, GatewayError, v } from 'gatehouse'

/** `RATE_LIMIT_RPS`: one leaky bucket for the model API, MCP and unknown paths together. */
export default definePlugin({
  name: 'limiter',
  guards: 'everything',
  options: v.strictObject({}),
  setup(_, { store, config, log }) {
    const rps = config.rate_limit_rps
    const bucket = { perMinute: rps * 60, burst: Math.max(1, Math.floor(rps)) }
    return {
      async handle(ctx, next) {
        if (!ctx.limited) return next()
        const taken = await store.take('rate:all', bucket)
        ctx.headers.set('x-ratelimit-limit-requests', String(bucket.burst))
        if (taken.allowed) {
          ctx.headers.set('x-ratelimit-remaining-requests', String(taken.remaining))
          ctx.headers.set('x-ratelimit-reset-requests', `${Math.ceil(taken.resetMs)}ms`)
          return next()
        }
        const seconds = Math.max(1, Math.ceil(taken.retryAfterMs / 1000))
        ctx.headers.set('x-ratelimit-remaining-requests', '0')
        log.warn(
          {
            request_id: ctx.id,
            ip: ctx.ip,
            path: ctx.url.pathname,
            retry_after: Math.ceil(taken.retryAfterMs),
            retry_after_seconds: seconds,
            limiter_decision: 'rate_limited',
          },
          'Rate limit exceeded',
        )
        throw new GatewayError(429, 'rate_limit_error', 'rate_limit_exceeded', 'Rate limit exceeded', {
          headers: { 'retry-after': String(seconds) },
        })
      },
    }
  },
})
