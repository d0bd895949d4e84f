import { definePlugin, v } from 'gatehouse'
import { createPlaces } from './places.ts'
import { createRates } from './rates.ts'

/**
 * `RATE_LIMIT_RPS`: one leaky bucket for the model API, MCP and unknown paths together, one for the admin API, and for
 * each managed key the requests per minute and at a time that it may make.
 */
export default definePlugin({
  name: 'limiter',
  guards: 'everything',
  options: v.strictObject({ rpm: v.optional(v.number()) }), // the admin API writes it into keys
  setup(_, gateway) {
    const rates = createRates(gateway)
    const places = createPlaces(gateway)
    return {
      handle(ctx, next) {
        if (!ctx.limited) return next()
        const { key } = ctx.principal
        if (!key) return rates.take(ctx, next)
        // its own limits first: what a key is refused takes nothing from the others
        return rates.takeOfKey(ctx, key, () => places.take(ctx, key, () => rates.take(ctx, next)))
      },
    }
  },
})
