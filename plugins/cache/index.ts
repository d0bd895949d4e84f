import { join } from 'node:path'
import { type Context, definePlugin, type MaybePromise, type Next, type ResolvedModel, v } from 'gatehouse'
import { adminRoutes } from './admin.ts'
import { createAnswers, type Settings } from './answers.ts'
import { createAsk } from './ask.ts'
import { createConfigPrint } from './config-print.ts'
import { formOf } from './form.ts'
import type { Surroundings } from './key.ts'
import { createKeyOf } from './known-keys.ts'
import type { Limits } from './memory/memory.ts'
import { kept, type Policy, policyFor } from './policy.ts'
import { createModelScopes, scopeOf } from './scope.ts'
import { whenKnown } from './when-known.ts'

const name = 'cache'

const nothing: Limits = { maxEntries: 0, maxBytes: 0, ttlMs: 0 }

/** Answers a request as it was answered before, when nothing that could change the answer is different. */
export default definePlugin({
  name,
  options: v.strictObject({}), // its settings are those of the config
  setup(_, gateway) {
    const { log, config, models } = gateway
    const { enabled, mode, ttl, max_entries: maxEntries, max_bytes: maxBytes, persist, replay_rate: replayRate } = config.cache
    const limits = enabled ? { maxEntries, maxBytes, ttlMs: ttl } : nothing
    const shared = enabled && config.redis.url !== undefined
    const settings: Settings = {
      limits,
      store: shared ? gateway.store : undefined,
      file: enabled && persist && !shared ? join(config.data_dir, 'cache.db') : undefined,
    }
    const answers = gateway.shared(name, () => createAnswers(settings, log))
    const ask = createAsk({ answers, log, replayRate })
    const configOf = createConfigPrint(config)
    const keyOf = createKeyOf(gateway.workers.digest)
    const scopeOfModel = createModelScopes(config)
    let inForce = false
    // with the first request and not here: this config may still be refused, and then nothing must have changed
    const enforce = () => {
      inForce = true
      answers.settle(settings)
    }
    for (const route of adminRoutes(answers, models, enabled, limits)) gateway.addRoute(route)

    const passBy = (ctx: Context, next: Next, why: string) => {
      answers.counts.bypasses++
      ctx.headers.set('x-cache', 'BYPASS')
      ctx.note({ plugin: name, did: 'bypass', why })
      return next()
    }

    const lookUp = (ctx: Context, next: Next, model: ResolvedModel | undefined): MaybePromise<Response> => {
      if (!model) return next() // the router says so
      const policy = policyFor(ctx, mode)
      if (!policy.keep) return passBy(ctx, next, policy.why)
      const scope = scopeOf(ctx.principal, scopeOfModel(model.name))
      if (scope === undefined) return passBy(ctx, next, 'cache_scope off')
      return whenKnown(gateway.fingerprintBelow(name, ctx), below =>
        answer(ctx, next, policy, { model, scope, below, config: configOf(model) }),
      )
    }

    const answer = (ctx: Context, next: Next, policy: Policy, around: Surroundings): MaybePromise<Response> => {
      const asking = { ctx, next, model: around.model, policy, form: formOf(ctx) }
      const { operation, path, request, wire } = ctx
      const keyFor = (payload: Context['payload']) =>
        keyOf({ operation, path, request, payload, wire: payload === ctx.payload ? wire : undefined }, around)
      return whenKnown(keyFor(ctx.payload), key =>
        key === undefined ? passBy(ctx, next, 'long numbers in a large body') : ask(asking, key, keyFor),
      )
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
