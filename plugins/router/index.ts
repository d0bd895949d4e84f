import { assertMayUse, type Context, definePlugin, GatewayError, modelNotFound, type ResolvedModel, v } from 'gatehouse'
import { createPlaces, idOf, processOf } from './places.ts'
import { route } from './route.ts'
import { createSender } from './send.ts'
import { restingTargets, targetsRoute } from './targets-route.ts'
import { createTicker } from './ticker.ts'
import { createTraffic, type Rules } from './traffic.ts'
import { createVisit } from './visit.ts'

const options = v.strictObject({
  /** How many times a request is sent again after every target was tried once. */
  retries: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(10)), 2),
  /** The header by which `strategy: sticky` knows what belongs together. */
  session_header: v.optional(v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]+$/, 'is not a header name')), 'x-session-id'),
})

let generations = 0

/** The innermost layer: sends the request to the targets of its model, in order, until one answers. Never calls `next`. */
export default definePlugin({
  name: 'router',
  options,
  setup({ retries, session_header: sessionHeader }, gateway) {
    const { backends, models, config, keys, processes } = gateway
    for (const { name, targets } of config.models) {
      const stranger = targets.find(({ backend }) => !backends.has(backend))
      if (stranger) throw new Error(`model "${name}" names the backend "${stranger.backend}", which nobody configured`)
    }
    if (config.default_backend !== undefined && !backends.has(config.default_backend)) {
      throw new Error(`default_backend "${config.default_backend}" is not a backend`)
    }
    const places = createPlaces(gateway, config.models)
    const rules: Rules = { generation: ++generations, config, keys, capacityOf: places.capacityOf, processOf, idOf }
    const traffic = gateway.shared('router', () => createTraffic(processes, rules))
    gateway.addRoute(targetsRoute(traffic))
    gateway.addHealth('breakers', () => restingTargets(traffic))
    const ticker = createTicker()
    const visit = createVisit({ ...gateway, admission: traffic.admission, send: createSender(gateway, ticker) })

    return {
      close: ticker.close,
      async handle(ctx) {
        traffic.follow(rules) // not before: a config that cannot be served changes nothing
        const model = await currentModel(ctx, models.resolve)
        const found = places.of(model, ctx.operation)
        if (found.length === 0) throw nobodySpeaks(ctx.operation, model.asked)
        return route(ctx, model, found, { targets: traffic.targets, visit, retries, sessionHeader })
      },
    }
  },
})

/** A layer above may have renamed the model; then it is looked up anew. */
async function currentModel(ctx: Context, resolve: (name: string) => ResolvedModel | undefined | Promise<ResolvedModel | undefined>) {
  const { model: name } = ctx.payload
  const model = ctx.model?.asked === name ? ctx.model : await resolve(name)
  if (model) {
    if (model !== ctx.model) assertMayUse(ctx.principal, name, model)
    return model
  }
  throw modelNotFound(name)
}

const nobodySpeaks = (operation: string, model: string) =>
  new GatewayError(400, 'invalid_request_error', 'unsupported_operation', `The backend of '${model}' does not offer ${operation}.`, {
    param: 'model',
  })
