import { GatewayError, invalidRequest } from '../errors.ts'

/** Nested deeper than this, JSON is refused: no honest request is, and recursive code downstream would overflow. */
const deepestJson = 200

/** Bodies up to this size are read at once: they come in a few packets. */
const smallUpload = 64 * 1024
/** However slowly it comes: nobody uploads for longer. */
const longestUploadMs = 10 * 60_000

/**
 * Reads a request body of at most `limit` bytes. Over that it stops reading and throws a 413; after ten minutes, a 408.
 * `onChunk` hears of each part of a large one.
 */
export function readBytes(request: Request, limit: number, onChunk?: () => void): Promise<Uint8Array<ArrayBuffer>> {
  const { headers } = request
  const encoding = headers.get('content-encoding')
  if (encoding && encoding !== 'identity')
    throw unsupportedMedia(`Send the body uncompressed; content-encoding "${encoding.slice(0, 100)}" is not read.`)
  const declared = headers.get('content-length')
  // `content-length` may be trusted only without `transfer-encoding` (RFC 9112, 6.3)
  if (declared !== null && !headers.has('transfer-encoding')) {
    if (Number(declared) > limit) throw tooLarge(limit)
    if (Number(declared) <= smallUpload) return request.bytes() as Promise<Uint8Array<ArrayBuffer>>
  }
  return readParts(request.body as ReadableStream<Uint8Array> | null, limit, onChunk)
}

async function readParts(body: ReadableStream<Uint8Array> | null, limit: number, onChunk?: () => void): Promise<Uint8Array<ArrayBuffer>> {
  if (!body) return new Uint8Array(0)
  const chunks: Uint8Array[] = []
  let size = 0
  const deadline = performance.now() + longestUploadMs
  const reader = body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return Buffer.concat(chunks, size) as Uint8Array<ArrayBuffer>
    onChunk?.()
    size += value.byteLength
    if (performance.now() > deadline) {
      reader.cancel().catch(() => {})
      throw new GatewayError(408, 'invalid_request_error', 'upload_too_slow', 'The request body took longer than ten minutes.', {
        headers: { connection: 'close' },
      })
    }
    if (size > limit) {
      reader.cancel().catch(() => {})
      throw tooLarge(limit)
    }
    chunks.push(value)
  }
}

const decoder = new TextDecoder()

/** Parses a JSON object, at most 200 levels deep. */
export function parseObject(bytes: Uint8Array): Record<string, unknown> {
  if (bytes.length > smallBody && countValues(bytes) > mostValues) {
    throw invalidRequest(`The JSON holds more than ${mostValues} values.`, 'json_too_large')
  }
  let value: unknown
  try {
    value = JSON.parse(decoder.decode(bytes))
  } catch (cause) {
    throw new GatewayError(400, 'invalid_request_error', 'invalid_json', 'Invalid request body', { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidRequest('Invalid request body', 'invalid_json')
  // each level takes two brackets
  if (bytes.length > 2 * deepestJson && deeperThan(value, deepestJson))
    throw invalidRequest(`The JSON is nested more than ${deepestJson} levels deep.`, 'json_too_deep')
  return value as Record<string, unknown>
}

/** A body below this cannot hold enough values to matter. */
const smallBody = 1024 * 1024
/** Each value costs a hundred times its bytes once it is parsed; images are one value, whatever their size. */
const mostValues = 2_000_000

/** Commas and brackets outside of texts: about as many as there are values. */
function countValues(bytes: Uint8Array): number {
  let count = 0
  let inText = false
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]
    if (inText) {
      if (byte === backslash) i++
      else if (byte === quote) inText = false
    } else if (byte === quote) inText = true
    else if (byte === comma || byte === bracket || byte === brace) count++
  }
  return count
}

const [comma, bracket, brace, quote, backslash] = [44, 91, 123, 34, 92]

function deeperThan(value: object, levels: number): boolean {
  if (levels === 0) return true
  for (const inner of Array.isArray(value) ? value : Object.values(value)) {
    if (typeof inner === 'object' && inner !== null && deeperThan(inner, levels - 1)) return true
  }
  return false
}

/**
 * The JSON types we take. `curl -d` says it sends a form and browsers' simple requests say text; LlamaGate
 * took both, so JSON under these names is read too.
 */
const jsonTypes = /^(application\/(json|[\w.-]+\+json|x-www-form-urlencoded)|text\/plain)\s*(;|$)/i

/** Throws a 415 for a body that does not claim to be JSON. */
export function expectJson(contentType: string | null): void {
  if (contentType && !jsonTypes.test(contentType)) {
    throw unsupportedMedia(`Send application/json, not ${contentType.split(';')[0]?.slice(0, 100)}.`)
  }
}

const tooLarge = (limit: number) =>
  new GatewayError(413, 'invalid_request_error', 'body_too_large', `The request body is larger than ${limit} bytes.`, {
    headers: { connection: 'close' }, // the rest of the body is never read
  })

const unsupportedMedia = (message: string) => new GatewayError(415, 'invalid_request_error', 'unsupported_media_type', message)
