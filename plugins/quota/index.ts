import { type Context, definePlugin, GatewayError, isEventStream, isJson, type MaybePromise, type Next, type Usage, v } from 'gatehouse'
import { settleAtEnd } from './at-end.ts'
import { createMeter } from './meter.ts'
import { createReserve, type Held } from './reserve.ts'
import { countSent } from './sent.ts'
import { usageRoute } from './usage-route.ts'

/** Calls that no model works on. */
const free: ReadonlySet<string> = new Set(['messages.count_tokens'])

/** Sets tokens of a managed key aside before a request, and charges what it really used before its last bytes leave. */
export default definePlugin({
  name: 'quota',
  options: v.strictObject({ default_tokens: v.optional(v.nullable(v.number())) }), // the admin API writes it into keys
  setup(_, gateway) {
    const meter = createMeter(gateway)
    const reserve = createReserve(gateway)
    gateway.addRoute(usageRoute(gateway))

    const pay = async (ctx: Context, next: Next, held: Held): Promise<Response> => {
      let sent = nothingSent
      let body: Uint8Array<ArrayBuffer> | undefined
      let over: Promise<void> | undefined
      const charge = (used: Readonly<Usage>): Promise<void> => {
        meter.count(ctx, used)
        // others may be able to pay for the rest of it
        if (held.cut !== undefined && used.completionTokens >= held.cut) ctx.keepOut('cut by quota')
        return reserve.settle(held, used.promptTokens + used.completionTokens)
      }
      const settle = (outcome: 'complete' | 'aborted'): Promise<void> => {
        if (over) return over
        const used = meter.spent(ctx, meter.take(ctx), { tokens: sent.tokens, body }, outcome)
        over = used instanceof Promise ? used.then(charge) : charge(used)
        return over
      }
      const release = () => {
        if (over) return
        meter.take(ctx)
        over = reserve.settle(held, 0)
      }
      // whatever happens, nothing stays set aside
      ctx.onSettled(outcome => (outcome === 'failed' ? release() : settle(outcome)))
      try {
        let response = await next()
        if (!response.ok) release()
        else if (isJson(response) || !response.body) {
          if (ctx.usage.promptTokens === 0) {
            body = (await response.bytes()) as Uint8Array<ArrayBuffer>
            response = new Response(body, response)
          }
          await settle('complete')
        } else {
          const counting = countSent(ctx, isEventStream(response))
          sent = counting
          return new Response(
            settleAtEnd(response.body, ctx.operation, counting, () => settle('complete')),
            response,
          )
        }
        return response
      } catch (error) {
        if (hasLeft(error)) settle('aborted')
        else release()
        throw error
      }
    }

    const begin = (ctx: Context, next: Next, held: Held): Promise<Response> => {
      if (!ctx.signal.aborted) return pay(ctx, next, held)
      reserve.settle(held, 0) // whoever left meanwhile has asked no backend for anything
      throw ctx.signal.reason
    }

    return {
      handle(ctx, next): MaybePromise<Response> {
        const { key } = ctx.principal
        if (!key) {
          ctx.onSettled(() => meter.count(ctx, meter.take(ctx)))
          return next()
        }
        if (free.has(ctx.operation)) return next()
        const held = reserve.take(ctx, key)
        return held instanceof Promise ? held.then(late => begin(ctx, next, late)) : pay(ctx, next, held)
      },
    }
  },
})

const nothingSent: { readonly tokens: number } = { tokens: 0 }

/** A backend has worked for a client that does not wait for the answer; it is not a failure of ours. */
const hasLeft = (error: unknown) => error instanceof GatewayError && error.code === 'client_closed_request'
