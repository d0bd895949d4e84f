/** HTTP/1.0 needs no Host, and a malformed one must not topple anything; then the path is all there is. */
export function urlOf({ url }: Pick<Request, 'url'>): URL {
  return URL.parse(url) ?? URL.parse(url.replace(/^[a-z]+:\/\/[^/]*/i, ''), 'http://localhost') ?? new URL('http://localhost/')
}

/** Reads the path of a request's URL, percent-encoded, without the query. */
export type PathReader = (request: Pick<Request, 'url'>) => string

const longestScheme = 'https://'.length
const end = /[?#]/
const mostOrigins = 100
const longestOrigin = 100

/**
 * Makes a reader that cuts the path out of the URL: a `URL` for each request costs 2 µs. The runtime has normalised it
 * already, unless the host is malformed, so origins are looked at once.
 */
export function createPathReader(): PathReader {
  const wellFormed = new Set<string>()
  const isWellFormed = (origin: string) => {
    if (wellFormed.has(origin)) return true
    if (!URL.canParse(origin)) return false
    if (wellFormed.size === mostOrigins) wellFormed.clear()
    if (origin.length <= longestOrigin) wellFormed.add(origin)
    return true
  }

  return request => {
    const { url } = request
    const from = url.indexOf('/', longestScheme)
    if (from === -1 || !isWellFormed(url.slice(0, from))) return urlOf(request).pathname
    const to = url.search(end)
    return to === -1 ? url.slice(from) : url.slice(from, to)
  }
}
