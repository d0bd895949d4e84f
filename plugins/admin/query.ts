import { didYouMean, invalidRequest, type PageRequest, type RouteContext } from 'gatehouse'

/** What stands behind the `?`, by name. Each of `names` may be there once, and nothing else. */
export function readQuery<Name extends string>({ searchParams }: URL, names: readonly Name[]): { readonly [N in Name]?: string } {
  const found: Record<string, string> = {}
  for (const [name, value] of searchParams) {
    const shown = name.slice(0, 60)
    if (!(names as readonly string[]).includes(name)) {
      throw wrong(shown, `There is no "${shown}" here${didYouMean(shown, names) || '.'}`)
    }
    if (Object.hasOwn(found, name)) throw wrong(name, `${name} can be given once.`)
    found[name] = value
  }
  return found as { readonly [N in Name]?: string }
}

/** The 400 for something behind the `?`. */
export const wrong = (name: string, message: string) => invalidRequest(message, 'invalid_query', name)

/** How many rows a page has when nobody says, and at most. */
const usualLimit = 100
const mostRows = 1000

/** `limit`. */
export function readLimit(text: string | undefined, usual = usualLimit): number {
  const limit = text === undefined ? usual : wholeFrom(text)
  if (limit === undefined || limit < 1 || limit > mostRows) throw wrong('limit', `limit must be a whole number from 1 to ${mostRows}.`)
  return limit
}

/** `limit` and `after`, as the `next` of the page before says it. */
export function readPage({ limit, after }: { readonly limit?: string; readonly after?: string }, lowest = 0): PageRequest {
  const cursor = after === undefined ? undefined : wholeFrom(after)
  if (after !== undefined && (cursor === undefined || cursor < lowest)) throw wrong('after', 'after must be the `next` of the page before.')
  return { limit: readLimit(limit), ...(cursor !== undefined && { after: cursor }) }
}

/** `search`. */
export function readSearch(search = ''): { readonly search?: string } {
  if (search.length > 256) throw wrong('search', 'search must have at most 256 characters.')
  return search === '' ? {} : { search }
}

/** The number in a path. */
export function readId({ params }: Pick<RouteContext, 'params'>): number {
  const id = wholeFrom(params.id ?? '')
  if (id === undefined || id === 0) throw invalidRequest('The id in the path must be a whole number.', 'invalid_id', 'id')
  return id
}

/** `?version=` of a request without a body. */
export function readVersion(url: URL): number | undefined {
  const { version } = readQuery(url, ['version'])
  if (version === undefined) return
  const number = wholeFrom(version)
  if (number === undefined || number < 1) throw wrong('version', 'version must be a whole number from 1.')
  return number
}

/** A whole number in the one way it is written; undefined for anything else. */
function wholeFrom(text: string): number | undefined {
  const number = /^(0|-?[1-9]\d{0,15})$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(number) ? number : undefined
}
