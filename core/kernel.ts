import { Elysia } from 'elysia'
import type { RouteContext } from './context.ts'
import { GatewayError } from './errors.ts'
import { type Exchange, type ExchangeOptions, openExchange } from './exchange.ts'
import type { Route } from './gateway.ts'
import type { Cors } from './http/cors.ts'
import { decodeParams, findRoute, paramsOf } from './http/paths.ts'
import type { Arrival } from './open-context.ts'
import { operations } from './openai.ts'
import type { Pipeline, Pipelines } from './pipeline.ts'
import type { MaybePromise } from './plugin.ts'

/** What the kernel serves. */
export interface KernelOptions extends ExchangeOptions {
  readonly pipelines: Pipelines
  readonly routes: readonly Route[]
  readonly cors: Cors
  /** The caller's address behind trusted proxies; `peer` is the socket's own. */
  readonly clientIp: (peer: string, headers: Headers) => string
  /** Called when a request begins and when its last byte has left. */
  readonly onOpen: (exchange: Exchange) => void
  readonly onEnd: (exchange: Exchange, status: number) => void
  /** True once gatehouse stops: new requests are refused. */
  readonly stopping: () => boolean
}

/** What the kernel needs of the socket a request came in on. */
export interface Socket {
  requestIP(request: Request): { readonly address: string } | null
  /** Closes the connection after so many seconds of silence; 0 for never. */
  timeout(request: Request, seconds: number): void
}

/** Answers requests; what listeners call. */
export interface Kernel {
  fetch(request: Request, socket?: Socket): MaybePromise<Response>
}

/** A route as the table holds it: what to do, and what the exchange must know before. */
interface Served {
  readonly method: string
  readonly path: string
  readonly arrival: Pick<Arrival, 'operation' | 'access' | 'limited' | 'body'>
  readonly run: Pipeline
}

/** Silence after which a connection that sends no request, or half a body, is closed. Seconds. */
export const idleTimeout = 30

/**
 * The Elysia app. It turns a socket into a context, runs the pipeline, and turns the answer or the error
 * into a response. It knows no plugin and no backend, and never touches Elysia's `set`: with `set` in use,
 * Elysia re-encodes chunked responses and breaks characters that span two chunks.
 */
export function createKernel(options: KernelOptions): Kernel {
  const { pipelines, cors } = options
  const served = serveTable(options.routes, pipelines)
  const notFound = pipelines.route(ctx => {
    throw nothingHere(ctx.url.pathname)
  })
  const wrongMethod = (allow: string) =>
    pipelines.route(() => {
      throw new GatewayError(405, 'invalid_request_error', 'method_not_allowed', `This path takes ${allow}.`, { headers: { allow } })
    })

  async function answer(request: Request, server: Socket | null, route: Pick<Served, 'arrival' | 'run'>): Promise<Response> {
    const exchange: Exchange = openExchange(
      {
        request,
        url: urlOf(request),
        ip: options.clientIp(server?.requestIP(request)?.address ?? '', request.headers),
        ...route.arrival,
      },
      {
        ...options,
        // a thinking model is not an idle socket: once the body is in, only our own timeouts count
        onRead: () => server?.timeout(request, 0),
        // a slow upload is not an idle socket either, and Bun forgives only fast ones
        onChunk: () => server?.timeout(request, idleTimeout),
      },
      (_, status) => {
        server?.timeout(request, idleTimeout) // Bun keeps a limit for the next request of the connection
        options.onEnd(exchange, status)
      },
    )
    options.onOpen(exchange)
    const response = await respond(exchange, route.run)
    const origin = request.headers.get('origin')
    if (origin && request.method !== 'OPTIONS') cors.decorate(response.headers, origin)
    return response
  }

  async function respond(exchange: Exchange, run: Pipeline): Promise<Response> {
    const { ctx } = exchange
    try {
      if (options.stopping()) throw stopping()
      const pending = run(ctx)
      if (!(pending instanceof Promise)) return exchange.answer(pending)
      const first = await Promise.race([pending, exchange.heartbeatDue])
      return first === 'heartbeat' ? exchange.answerEarly(pending) : exchange.answer(first)
    } catch (error) {
      return exchange.fail(error)
    }
  }

  const app = new Elysia()
  for (const route of served) {
    // Elysia has decoded some of its parameters, and some it has lost: they are taken from the path itself
    const named = /[:*]/.test(route.path)
    const handler = ({ request, server }: ElysiaContext) =>
      answer(request, server, named ? withParams(route, paramsOf(route.path, urlOf(request).pathname)) : route)
    app.route(route.method, route.path, handler, { parse: 'none' })
    // Elysia gives every GET a HEAD, but a bare one in front of a wildcard
    if (route.method === 'GET') app.route('HEAD', route.path, handler, { parse: 'none' })
  }
  // a preflight needs no key: browsers send none
  app.route(
    'OPTIONS',
    '/*',
    ({ request, server }: ElysiaContext) => {
      const { methods } = findRoute(served, 'OPTIONS', urlOf(request).pathname)
      const arrival = { operation: 'preflight', access: 'open', limited: false, body: 'none' } as const
      return answer(request, server, { arrival, run: () => cors.preflight(request, methods) })
    },
    { parse: 'none' },
  )

  // Elysia's own errors are only "no such route": handlers never throw. Its router also misses paths when the
  // host name is shorter than four characters, so the table is asked once more.
  app.onError(({ request, server }) => {
    const { pathname } = urlOf(request)
    const { match, methods } = findRoute(served, request.method, pathname)
    if (match) return answer(request, server, withParams(match.route, match.params))
    const body = { operation: pathname, limited: true, body: 'none' } as const
    if (methods.length === 0) return answer(request, server, { run: notFound, arrival: { ...body, access: 'key' } })
    const { access } = findRoute(served, methods[0] as string, pathname).match?.route.arrival ?? { access: 'key' as const }
    return answer(request, server, { run: wrongMethod(methods.join(', ')), arrival: { ...body, access } })
  })

  return {
    fetch(request, socket) {
      // Elysia reads it while it builds the context, which is before anything is awaited
      app.server = (socket ?? null) as typeof app.server
      return app.fetch(request)
    },
  }
}

interface ElysiaContext {
  readonly request: Request
  readonly server: Socket | null
}

function serveTable(routes: readonly Route[], pipelines: Pipelines): Served[] {
  const calls = operations.map(
    ({ operation, path }): Served => ({
      method: 'POST',
      path,
      arrival: { operation, access: 'key', limited: true, body: 'operation' },
      run: pipelines.operations,
    }),
  )
  const others = routes.flatMap(({ method, path, access, limited, body, handle }) =>
    (method === 'ALL' ? ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] : [method]).map(
      (one): Served => ({
        method: one,
        path,
        arrival: { operation: path, access, limited, body },
        run: pipelines.route(async ctx => {
          await ctx.read()
          return handle(Object.assign(ctx as RouteContext, { params: decodeParams((ctx as Partial<RouteContext>).params ?? {}) }))
        }),
      }),
    ),
  )
  return [...calls, ...others]
}

/** HTTP/1.0 needs no Host, and a malformed one must not topple anything; then the path is all there is. */
function urlOf({ url }: Request): URL {
  return URL.parse(url) ?? URL.parse(url.replace(/^[a-z]+:\/\/[^/]*/i, ''), 'http://localhost') ?? new URL('http://localhost/')
}

/** Path parameters become part of the context of this one request. */
function withParams({ arrival, run }: Served, params: Readonly<Record<string, string>>): Pick<Served, 'arrival' | 'run'> {
  for (const _ in params) return { arrival, run: ctx => run(Object.assign(ctx, { params })) }
  return { arrival, run }
}

const nothingHere = (path: string) => new GatewayError(404, 'invalid_request_error', 'unknown_url', `There is nothing at ${path}.`)

const stopping = () =>
  new GatewayError(503, 'service_unavailable', 'stopping', 'gatehouse is stopping.', {
    headers: { 'retry-after': '5', connection: 'close' },
  })
