/** What a client asked of caches with its `Cache-Control`. */
export interface CacheControl {
  /** Do not answer from what is kept. */
  readonly noCache: boolean
  /** Neither answer from what is kept nor keep the answer. */
  readonly noStore: boolean
  /** Answer only from what is younger. */
  readonly maxAgeMs: number
}

const nothing: CacheControl = { noCache: false, noStore: false, maxAgeMs: Number.POSITIVE_INFINITY }

/** `name`, `name=token` or `name="text"` (RFC 9111, 5.2); a comma inside the text ends nothing. */
const directives = /([^\s,;="]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?/g

/** Reads a request's header. What it does not know or cannot read is ignored; of several ages the strictest counts. */
export function readCacheControl(header: string | null): CacheControl {
  if (header === null) return nothing
  let { noCache, noStore, maxAgeMs } = nothing
  for (const [, name = '', quoted, plain = ''] of header.matchAll(directives)) {
    const directive = name.toLowerCase()
    const value = quoted ?? plain
    if (directive === 'no-cache') noCache = true
    else if (directive === 'no-store') noStore = true
    else if (directive === 'max-age' && /^\d+$/.test(value)) maxAgeMs = Math.min(maxAgeMs, Number(value) * 1000)
  }
  return { noCache, noStore, maxAgeMs }
}
