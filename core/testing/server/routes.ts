import type { Reply } from '../behaviour/writer.ts'
import type { Exchange } from './exchange.ts'

/** What a route does: it replies at once, or plays an answer itself. */
export type Route = (exchange: Exchange) => Reply | Promise<void>

/** Routes by method and path, as in `GET /health`. */
export type Routes = Readonly<Record<string, Route>>

/** How a server answers what it has no route for. */
export interface Otherwise {
  notFound(method: string, path: string): Reply
  /** When absent, a wrong method is not found either. */
  wrongMethod?(allowed: string): Reply
  /** True when every GET answers HEAD too. */
  readonly head: boolean
}

/** Lets the matching route answer. */
export async function dispatch(exchange: Exchange, routes: Routes, otherwise: Otherwise): Promise<void> {
  const { method, path } = exchange.request
  const [pathname = ''] = path.split('?')
  const wanted = method === 'HEAD' && otherwise.head ? 'GET' : method
  const route = routes[`${wanted} ${pathname}`]
  const answer = route ? route(exchange) : refuse(routes, otherwise, method, pathname)
  if (answer instanceof Promise) await answer
  else send(exchange, answer)
}

/** Sends a whole reply. */
export function send(exchange: Exchange, { status, body, headers }: Reply): void {
  exchange.reply(status, body, headers)
}

function refuse(routes: Routes, otherwise: Otherwise, method: string, pathname: string): Reply {
  const allowed = Object.keys(routes)
    .filter(route => route.endsWith(` ${pathname}`))
    .map(route => route.split(' ')[0] ?? '')
  if (allowed.length > 0 && otherwise.wrongMethod) return otherwise.wrongMethod(allowed.join(', '))
  return otherwise.notFound(method, pathname)
}
