import { type Context, definePlugin, GatewayError, type IndexedKey, isJson, type Next, v } from 'gatehouse'
import { countSent, settleAtEnd } from './at-end.ts'
import { createMeter } from './meter.ts'
import { createReserve } from './reserve.ts'
import { usageRoute } from './usage-route.ts'

/** Sets tokens of a managed key aside before a request, and charges what it really used before its last bytes leave. */
export default definePlugin({
  name: 'quota',
  options: v.strictObject({ default_tokens: v.optional(v.nullable(v.number())) }), // the admin API writes it into keys
  setup(_, gateway) {
    const meter = createMeter(gateway)
    const reserve = createReserve(gateway)
    gateway.addRoute(usageRoute(gateway))

    const charge = async (ctx: Context, next: Next, key: IndexedKey) => {
      const held = await reserve(ctx, key)
      const sent = countSent()
      let over: Promise<void> | undefined
      const settle = (outcome: 'complete' | 'aborted') => {
        over ??= meter.spent(ctx, sent, outcome).then(usage => {
          meter.count(ctx, usage)
          return held.settle(usage.promptTokens + usage.completionTokens)
        })
        return over
      }
      const release = () => {
        over ??= Promise.resolve(held.settle(0))
      }
      // whatever happens, nothing stays set aside
      ctx.onSettled(outcome => (outcome === 'failed' ? release() : settle(outcome)))
      try {
        const response = await next()
        if (!response.ok) release()
        else if (isJson(response) || !response.body) await settle('complete')
        else
          return new Response(
            settleAtEnd(response.body, sent, () => settle('complete')),
            response,
          )
        return response
      } catch (error) {
        if (hasLeft(error)) settle('aborted')
        else release()
        throw error
      }
    }

    return {
      handle(ctx, next) {
        const { key } = ctx.principal
        if (key) return charge(ctx, next, key)
        ctx.onSettled(() => meter.count(ctx, ctx.usage))
        return next()
      },
    }
  },
})

/** A backend has worked for a client that does not wait for the answer; it is not a failure of ours. */
const hasLeft = (error: unknown) => error instanceof GatewayError && error.code === 'client_closed_request'
