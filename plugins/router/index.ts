import { assertMayUse, type Context, definePlugin, GatewayError, modelNotFound, type ResolvedModel, v } from 'gatehouse'
import { type Attempt, createAttempt } from './attempt.ts'
import { type Failure, pause } from './failure.ts'
import { createTicker } from './ticker.ts'

const options = v.strictObject({
  /** How many times a request is sent again after every target was tried once. */
  retries: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(10)), 2),
})

/** The innermost layer: sends the request to the targets of its model, in order, until one answers. Never calls `next`. */
export default definePlugin({
  name: 'router',
  options,
  setup({ retries }, gateway) {
    const { backends, models, config } = gateway
    for (const { name, targets } of config.models) {
      const stranger = targets.find(({ backend }) => !backends.has(backend))
      if (stranger) throw new Error(`model "${name}" names the backend "${stranger.backend}", which nobody configured`)
    }
    if (config.default_backend !== undefined && !backends.has(config.default_backend)) {
      throw new Error(`default_backend "${config.default_backend}" is not a backend`)
    }
    const ticker = createTicker()
    const attempt = createAttempt(gateway, ticker)

    return {
      close: ticker.close,
      async handle(ctx) {
        const model = await currentModel(ctx, models.resolve)
        if (model.targets.length === 0) throw notStarted(model.asked)
        const places = model.targets.flatMap((target): Attempt[] => {
          const backend = backends.get(target.backend)
          return backend?.speaks(ctx.operation) ? [{ ctx, model, target, backend }] : []
        })
        if (places.length === 0) throw nobodySpeaks(ctx.operation, model.asked)

        let waiting: readonly { place: Attempt; failure?: Failure }[] = places.map(place => ({ place }))
        let failure: Failure | undefined
        for (let round = 0; round <= retries && waiting.length > 0; round++) {
          const again: { place: Attempt; failure: Failure }[] = []
          for (const { place, failure: before } of waiting) {
            const wait = before ? pause(round, before) : 0
            if (wait === undefined) continue // it asked for more time than a client would wait
            if (wait > 0) await sleep(wait, ctx.signal)
            const result = await attempt(place)
            if (result instanceof Response) {
              if (place !== places[0]) ctx.keepOut('fallback')
              ctx.target = `${place.target.backend}/${place.target.model}`
              return result
            }
            if (result.retry === 'never') throw result.error
            failure = result
            // never the backend's own words: they may quote the prompt
            ctx.log.warn({ backend: place.target.backend, ...reasonOf(result), round }, 'backend failed')
            ctx.note({ plugin: 'router', did: `left ${place.target.backend}`, why: reasonOf(result).reason })
            if (result.retry === 'again') again.push({ place, failure: result })
          }
          waiting = again
        }
        throw failure?.error
      },
    }
  },
})

/** What the log may know of a failure: our status and code, and the system's code for a failed connection. */
function reasonOf({ error: { status, code, extra } }: Failure) {
  const system = (extra.cause as { readonly code?: unknown } | undefined)?.code
  return { status, reason: typeof system === 'string' ? system : (code ?? 'refused') }
}

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

const notStarted = (model: string) =>
  new GatewayError(
    503,
    'service_unavailable',
    'model_unavailable',
    `The model '${model}' is a process of its own, and this release does not start processes yet. Start its server and name it in targets.`,
    { param: 'model' },
  )

const nobodySpeaks = (operation: string, model: string) =>
  new GatewayError(400, 'invalid_request_error', 'unsupported_operation', `The backend of '${model}' does not offer ${operation}.`, {
    param: 'model',
  })

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const leave = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', leave)
      resolve()
    }, ms)
    signal.addEventListener('abort', leave, { once: true })
  })
}
