/** Which foreign pages may read answers. */
export interface Cors {
  /** True for an origin on the list; `*` instead of a list means every origin. */
  allows(origin: string): boolean
  /** Adds the CORS headers to an answer for this origin. */
  decorate(headers: Headers, origin: string): void
  /** The answer to a preflight for a path that takes these methods. */
  preflight(request: Request, methods: readonly string[]): Response
}

const exposed =
  'x-request-id, retry-after, x-cache, age, x-gatehouse-ignored, x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests'

/** Development servers take any port, so a loopback origin without one stands for every port. */
const onLoopback = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/

/** CORS for a list of origins. Credentials are never allowed. */
export function createCors(origins: '*' | readonly string[]): Cors {
  const any = origins === '*'
  const exact = new Set((any ? [] : origins).map(origin => origin.toLowerCase()))
  const allows = (origin: string) => {
    const wanted = origin.toLowerCase()
    return any || exact.has(wanted) || (onLoopback.test(wanted) && exact.has(wanted.replace(/:\d+$/, '')))
  }
  const decorate = (headers: Headers, origin: string) => {
    headers.append('vary', 'Origin')
    if (!allows(origin)) return
    headers.set('access-control-allow-origin', any ? '*' : origin)
    headers.set('access-control-expose-headers', exposed)
  }
  return {
    allows,
    decorate,
    preflight(request, methods) {
      const allow = methods.length > 0 ? methods.join(', ') : 'OPTIONS'
      const headers = new Headers({ allow })
      const origin = request.headers.get('origin')
      if (origin) {
        decorate(headers, origin)
        if (allows(origin)) {
          headers.set('access-control-allow-methods', allow)
          headers.set('access-control-allow-headers', request.headers.get('access-control-request-headers') ?? '*')
          headers.set('access-control-max-age', '86400')
        }
      }
      return new Response(null, { status: 204, headers })
    },
  }
}
