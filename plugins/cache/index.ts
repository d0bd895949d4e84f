import { type Context, definePlugin, type MaybePromise, type Next, type ResolvedModel, v } from 'gatehouse'
import { isWhole, mayKeep } from './answer.ts'
import { createConfigPrint } from './config-print.ts'
import { keyOf } from './key.ts'
import { createMemory, type KeptAnswer, type Limits } from './memory.ts'
import { kept, type Policy, policyFor } from './policy.ts'

const name = 'cache'

const nothing: Limits = { maxEntries: 0, maxBytes: 0, ttlMs: 0 }

/** Answers a request as it was answered before, when nothing that could change the answer is different. */
export default definePlugin({
  name,
  options: v.strictObject({}), // its settings are those of the config
  setup(_, gateway) {
    const { log, config, models } = gateway
    const { enabled, mode, ttl, max_entries: maxEntries, max_bytes: maxBytes } = config.cache
    const limits = enabled ? { maxEntries, maxBytes, ttlMs: ttl } : nothing
    const memory = gateway.shared(name, () => createMemory(limits))
    const configOf = createConfigPrint(config)
    let inForce = false
    // with the first request and not here: this config may still be refused, and then nothing must have changed
    const enforce = () => {
      inForce = true
      memory.limit(limits)
    }

    const say = (ctx: Context, header: 'HIT' | 'MISS' | 'BYPASS', why: string) => {
      ctx.headers.set('x-cache', header)
      ctx.note({ plugin: name, did: header.toLowerCase(), ...(why && { why }) })
    }

    const hit = (ctx: Context, { body, contentType, ageMs }: KeptAnswer) => {
      const age = Math.floor(ageMs / 1000)
      say(ctx, 'HIT', `${age} s old`)
      ctx.headers.set('age', String(age))
      // `ctx.log` would make a logger for this one line
      log.info({ request_id: ctx.id, model: ctx.payload.model, age }, 'Cache hit')
      return new Response(body, { headers: { 'content-type': contentType } })
    }

    const fill = async (ctx: Context, next: Next, key: string) => {
      const response = await next()
      if (!mayKeep(ctx, response)) return response
      const body = (await response.bytes()) as Uint8Array<ArrayBuffer>
      const { status, headers } = response
      if (isWhole(ctx, body)) memory.set(key, { body, contentType: headers.get('content-type') ?? 'application/json' })
      return new Response(body, { status, headers })
    }

    const answer = (ctx: Context, next: Next, { read, maxAgeMs, why }: Policy, model: ResolvedModel, below: string) => {
      const key = keyOf(ctx, { model, below, config: configOf(model) })
      if (key === undefined) {
        say(ctx, 'BYPASS', 'long numbers in a large body')
        return next()
      }
      const found = read ? memory.get(key, maxAgeMs) : undefined
      if (found) return hit(ctx, found)
      say(ctx, read ? 'MISS' : 'BYPASS', why)
      if (read) log.debug({ request_id: ctx.id, model: model.asked }, 'Cache miss')
      return fill(ctx, next, key)
    }

    const lookUp = (ctx: Context, next: Next, model: ResolvedModel | undefined) => {
      if (!model) return next() // the router says so
      const policy = policyFor(ctx, mode)
      if (!policy.keep) {
        say(ctx, 'BYPASS', policy.why)
        return next()
      }
      return whenKnown(gateway.fingerprintBelow(name, ctx), below => answer(ctx, next, policy, model, below))
    }

    return {
      handle(ctx, next) {
        if (!inForce) enforce()
        // nobody unknown gets this far, unless the config puts the cache in front of `auth`
        if (!enabled || !kept.has(ctx.operation) || ctx.principal.kind === 'anonymous') return next()
        const asked = ctx.payload.model
        const model = ctx.model?.asked === asked ? ctx.model : models.resolve(asked)
        return whenKnown(model, known => lookUp(ctx, next, known))
      },
    }
  },
})

/** At once when the value is there: a hit then costs no turn of the event loop. */
const whenKnown = <T>(value: MaybePromise<T>, then: (known: T) => MaybePromise<Response>): MaybePromise<Response> =>
  value instanceof Promise ? value.then(then) : then(value)
