import { Elysia } from 'elysia'
import type { RouteContext } from './context.ts'
import { GatewayError } from './errors.ts'
import { type Exchange, type ExchangeOptions, openExchange } from './exchange.ts'
import type { Route } from './gateway.ts'
import type { Cors } from './http/cors.ts'
import { decodeParams, findRoute, paramsOf } from './http/paths.ts'
import { createPathReader } from './http/url.ts'
import type { Arrival } from './open-context.ts'
import { operations } from './openai.ts'
import type { Pipeline, Pipelines } from './pipeline.ts'
import type { MaybePromise } from './plugin.ts'
import { createTurns } from './turn.ts'

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
  readonly arrival: Pick<Arrival, 'operation' | 'access' | 'limited' | 'body' | 'verbatim'>
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
  const pathOf = createPathReader()
  const turns = createTurns()
  const served = serveTable(options.routes, pipelines)
  const notFound = pipelines.route(ctx => {
    throw nothingHere(ctx.path)
  })
  const wrongMethod = (allow: string) =>
    pipelines.route(() => {
      throw new GatewayError(405, 'invalid_request_error', 'method_not_allowed', `This path takes ${allow}.`, { headers: { allow } })
    })

  function answer(
    request: Request,
    server: Socket | null,
    path: string,
    { arrival, run }: Pick<Served, 'arrival' | 'run'>,
  ): MaybePromise<Response> {
    const exchange: Exchange = openExchange(
      {
        request,
        path,
        ip: options.clientIp(server?.requestIP(request)?.address ?? '', request.headers),
        operation: arrival.operation,
        access: arrival.access,
        limited: arrival.limited,
        body: arrival.body,
        verbatim: arrival.verbatim,
      },
      options,
      {
        // a thinking model is not an idle socket: once the body is in, only our own timeouts count
        onRead: () => server?.timeout(request, 0),
        // a slow upload is not an idle socket either, and Bun forgives only fast ones
        onChunk: () => server?.timeout(request, idleTimeout),
      },
      status => {
        server?.timeout(request, idleTimeout) // Bun keeps a limit for the next request of the connection
        options.onEnd(exchange, status)
      },
    )
    options.onOpen(exchange)
    const response = respond(exchange, run)
    const origin = request.headers.get('origin')
    return origin && request.method !== 'OPTIONS' ? response.then(answered => withCors(answered, origin)) : response
  }

  async function respond(exchange: Exchange, run: Pipeline): Promise<Response> {
    try {
      if (options.stopping()) throw stopping()
      const pending = run(exchange.ctx)
      const first = pending instanceof Promise ? await exchange.orHeartbeat(pending) : pending
      if (first === 'heartbeat') return exchange.answerEarly(pending as Promise<Response>)
      const answer = exchange.answer(first)
      if (exchange.ctx.phase === 'settled') await turns.end()
      return answer
    } catch (error) {
      return exchange.fail(error)
    }
  }

  const withCors = (response: Response, origin: string) => {
    cors.decorate(response.headers, origin)
    return response
  }

  // the paths without parameters: Elysia would find them too, for 2 µs more
  const exact = new Map<string, Served>()
  const app = new Elysia()
  for (const route of served) {
    // Elysia has decoded some of its parameters, and some it has lost: they are taken from the path itself
    const named = /[:*]/.test(route.path)
    if (!named) exact.set(`${route.method} ${route.path}`, route)
    const handler = ({ request, server }: ElysiaContext) => {
      const path = pathOf(request)
      return answer(request, server, path, named ? withParams(route, paramsOf(route.path, path)) : route)
    }
    app.route(route.method, route.path, handler, { parse: 'none' })
    // Elysia gives every GET a HEAD, but a bare one in front of a wildcard
    if (route.method === 'GET') app.route('HEAD', route.path, handler, { parse: 'none' })
  }
  // a preflight needs no key: browsers send none
  app.route(
    'OPTIONS',
    '/*',
    ({ request, server }: ElysiaContext) => {
      const path = pathOf(request)
      const { methods } = findRoute(served, 'OPTIONS', path)
      const arrival = { operation: 'preflight', access: 'open', limited: false, body: 'none' } as const
      return answer(request, server, path, { arrival, run: () => cors.preflight(request, methods) })
    },
    { parse: 'none' },
  )

  // Elysia's own errors are only "no such route": handlers never throw. Its router also misses paths when the
  // host name is shorter than four characters, so the table is asked once more.
  app.onError(({ request, server }) => {
    const path = pathOf(request)
    const { match, methods } = findRoute(served, request.method, path)
    if (match) return answer(request, server, path, withParams(match.route, match.params))
    const body = { operation: path, limited: true, body: 'none' } as const
    if (methods.length === 0) return answer(request, server, path, { run: notFound, arrival: { ...body, access: 'key' } })
    const { access } = findRoute(served, methods[0] as string, path).match?.route.arrival ?? { access: 'key' as const }
    return answer(request, server, path, { run: wrongMethod(methods.join(', ')), arrival: { ...body, access } })
  })

  return {
    fetch(request, socket) {
      const path = pathOf(request)
      const route = exact.get(`${request.method} ${path}`)
      if (route) return answer(request, socket ?? null, path, route)
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
  const others = routes.flatMap(({ method, path, access, limited, body, verbatim, handle }) =>
    (method === 'ALL' ? ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] : [method]).map(
      (one): Served => ({
        method: one,
        path,
        arrival: { operation: path, access, limited, body, verbatim },
        run: pipelines.route(async ctx => {
          await ctx.read()
          return handle(Object.assign(ctx as RouteContext, { params: decodeParams((ctx as Partial<RouteContext>).params ?? {}) }))
        }),
      }),
    ),
  )
  return [...calls, ...others]
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
