import type { Context } from './context.ts'
import { ConfigError, GatewayError } from './errors.ts'
import { assertMayUse } from './judge-model.ts'
import { namesPath } from './judge-path.ts'
import type { Handler, MaybePromise, Plugin, PluginInstance } from './plugin.ts'

/** Answers one request. */
export type Pipeline = (ctx: Context) => MaybePromise<Response>

/** A live plugin with the name it has in the `pipeline` list. */
export interface Layer extends PluginInstance {
  readonly name: string
  readonly guards: NonNullable<Plugin['guards']>
}

/** The linked pipelines of the house. */
export interface Pipelines {
  /** Calls to a model: every layer. */
  readonly operations: Pipeline
  /** Routes beside the model API: the layers that guard everything, then the route's own handler. */
  route(handle: Pipeline): Pipeline
}

/** Links the handlers once, at start-up; a request then only walks the chain. */
export function compose(handlers: readonly Handler[], last: Pipeline = nobody): Pipeline {
  // `promise.then(next)` hands over whatever came before: only a context of the same request is one
  return handlers.reduceRight<Pipeline>(
    (below, handler) => ctx => handler(ctx, (apart?: Context) => below(apart?.id === ctx.id ? apart : ctx)),
    last,
  )
}

/**
 * Builds both pipelines from the layers in the order of the config, guards first. Between them and the others come the
 * kernel's own two steps: `admit`, and reading the body, so that a stranger's body is never read.
 */
export function composePipelines(layers: readonly Layer[]): Pipelines {
  const acting = layers.filter(layer => layer.handle)
  checkOrder(acting)
  const handlersOf = (guards: Layer['guards']) => acting.filter(layer => layer.guards === guards).map(layer => layer.handle as Handler)
  const guards = handlersOf('everything')
  return {
    operations: compose([...guards, admit, readBody, ...handlersOf('operations')]),
    route: handle => compose([...guards, admit], handle),
  }
}

/**
 * Throws a ConfigError when a layer would act on requests before a guard has seen them: it might answer strangers. A
 * plugin that belongs in front of `auth` says so with `guards: 'everything'`.
 */
export function checkOrder(layers: readonly Pick<Layer, 'name' | 'guards'>[]): void {
  const first = layers.findIndex(({ guards }) => guards === 'operations')
  const late = layers.find(({ guards }, index) => guards === 'everything' && index > first && first !== -1)
  if (late) {
    const { name } = layers[first] as Layer
    throw new ConfigError(`pipeline: ${late.name} must stand before ${name}, which would act on requests that nobody has let in yet`)
  }
}

/** Says what layers would add to a request. */
export type Fingerprint = (ctx: Context) => MaybePromise<string>

/** For each layer by name: the fingerprints of those below it, put together. */
export function fingerprintsBelow(layers: readonly Layer[]): ReadonlyMap<string, Fingerprint> {
  return new Map(
    layers.map(({ name }, index) => {
      const below = layers.slice(index + 1).flatMap(({ fingerprint }) => (fingerprint ? [fingerprint] : []))
      return [name, ctx => join(below.map(fingerprint => fingerprint(ctx)))]
    }),
  )
}

/** Unambiguous: two lists of parts that differ never give the same text. Empty when there is nothing in any. */
function join(parts: readonly MaybePromise<string>[]): MaybePromise<string> {
  const text = (settled: readonly string[]) => (settled.some(part => part !== '') ? JSON.stringify(settled) : '')
  return parts.some(part => part instanceof Promise) ? Promise.all(parts).then(text) : text(parts as readonly string[])
}

/** Whatever the plugins did or did not do: nobody unknown gets past a path that needs a key. */
const admit: Handler = (ctx, next) => {
  if (ctx.access !== 'open') {
    const { kind } = ctx.principal
    if (kind === 'anonymous') throw new GatewayError(401, 'invalid_request_error', 'invalid_api_key', 'Invalid API key')
    if (ctx.access === 'admin' && kind !== 'admin') throw adminOnly('Only the admin key may do this.')
    if (ctx.access === 'named' && kind !== 'admin' && !isNamed(ctx)) {
      throw adminOnly('Only the admin key may do this, and keys whose allowed_endpoints name this path.')
    }
  }
  return next()
}

const isNamed = ({ principal: { key }, path }: Context) => namesPath(key?.allowedEndpoints ?? [], path)

const adminOnly = (message: string) => new GatewayError(403, 'permission_error', 'admin_only', message)

const readBody: Handler = async (ctx, next) => {
  await ctx.read()
  assertMayUse(ctx.principal, ctx.payload.model, ctx.model)
  return next()
}

const nobody: Pipeline = () => {
  throw new GatewayError(501, 'server_error', 'no_handler', 'No plugin answered this request. Is `router` in the pipeline?')
}
