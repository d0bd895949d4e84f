import { invalidRequest } from '../errors.ts'

interface Routed {
  readonly method: string
  /** With `:name` parameters and a trailing `/*`. */
  readonly path: string
}

/** What a table of routes says about a path. */
export interface Found<R extends Routed> {
  readonly match: { readonly route: R; readonly params: Readonly<Record<string, string>> } | undefined
  /** The methods this path takes, HEAD and OPTIONS included; empty when there is no such path. */
  readonly methods: readonly string[]
}

/** Looks a path up, a trailing slash forgiven. Linear: only asked for what the real router did not know. */
export function findRoute<R extends Routed>(routes: readonly R[], method: string, path: string): Found<R> {
  const given = trimSlashes(path).split('/')
  const matches = routes.flatMap(route => {
    const params = matchPath(trimSlashes(route.path).split('/'), given)
    return params ? [{ route, params }] : []
  })
  const methods = [...new Set(matches.map(({ route }) => route.method))]
  if (methods.includes('GET')) methods.push('HEAD')
  if (methods.length > 0) methods.push('OPTIONS')
  const wanted = method === 'HEAD' ? 'GET' : method
  return { match: matches.find(({ route }) => route.method === wanted), methods }
}

/** The parameters of a path that has been found to be a route's, percent-encoded as they came. */
export const paramsOf = (route: string, path: string): Record<string, string> =>
  matchPath(trimSlashes(route).split('/'), trimSlashes(path).split('/')) ?? {}

function matchPath(wanted: readonly string[], given: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {}
  for (const [i, part] of wanted.entries()) {
    if (part === '*') {
      if (given.length <= i) return
      params['*'] = given.slice(i).join('/')
      return params
    }
    if (part.startsWith(':') && given[i]) params[part.slice(1)] = given[i]
    else if (part !== given[i]) return
  }
  return wanted.length === given.length ? params : undefined
}

/** A path without the slashes at its end. No regular expression: `/\/+$/` is quadratic in them. */
export function trimSlashes(path: string): string {
  let end = path.length
  while (end > 0 && path.charCodeAt(end - 1) === slash) end--
  return path.slice(0, end)
}

const slash = '/'.charCodeAt(0)

/** Percent-decodes path parameters. */
export function decodeParams(params: Readonly<Record<string, string>>): Record<string, string> {
  try {
    return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, decodeURIComponent(value)]))
  } catch {
    throw invalidRequest('The path is not valid percent-encoding.', 'invalid_url')
  }
}
