import { definePlugin, GatewayError, v } from 'gatehouse'

const hour = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(24))

/** Closes the gateway at night, except for the operator. */
export default definePlugin({
  name: 'quiet-hours',
  options: v.strictObject({ from: hour, until: hour }),
  setup: ({ from, until }) => ({
    handle(ctx, next) {
      const now = new Date().getHours()
      const quiet = now >= from && now < until
      if (!quiet || ctx.principal.kind === 'admin') return next()
      throw new GatewayError(503, 'service_unavailable', 'quiet_hours', `The gateway rests until ${until}:00.`, {
        headers: { 'retry-after': '3600' },
      })
    },
  }),
})
