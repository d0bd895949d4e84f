import type { Context } from './context.ts'
import { GatewayError } from './errors.ts'
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
  return handlers.reduceRight<Pipeline>((next, handler) => ctx => handler(ctx, () => next(ctx)), last)
}

/**
 * Builds both pipelines from the layers in the order of the config. The kernel's own two steps are put
 * where they belong: `admit` after the last guard, and reading the body before the first other layer, so
 * that a stranger's body is never read as long as the guards stand first.
 */
export function composePipelines(layers: readonly Layer[]): Pipelines {
  const acting = layers.filter(layer => layer.handle)
  const lastGuard = acting.findLastIndex(layer => layer.guards === 'everything')
  const handlers = acting.map(layer => layer.handle as Handler)
  const chain: Handler[] = [...handlers.slice(0, lastGuard + 1), admit, ...handlers.slice(lastGuard + 1)]
  const firstReader = acting.findIndex(layer => layer.guards === 'operations')
  chain.splice(firstReader === -1 || firstReader > lastGuard ? lastGuard + 2 : firstReader, 0, readBody)

  const guards = acting.filter(layer => layer.guards === 'everything').map(layer => layer.handle as Handler)
  return {
    operations: compose(chain),
    route: handle => compose([...guards, admit], handle),
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
    if (ctx.access === 'admin' && kind !== 'admin') {
      throw new GatewayError(403, 'permission_error', 'admin_only', 'Only the admin key may do this.')
    }
  }
  return next()
}

const readBody: Handler = async (ctx, next) => {
  await ctx.read()
  return next()
}

const nobody: Pipeline = () => {
  throw new GatewayError(501, 'server_error', 'no_handler', 'No plugin answered this request. Is `router` in the pipeline?')
}
