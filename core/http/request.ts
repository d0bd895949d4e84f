import type { Operation, Payload } from '../openai.ts'
import { expectJson, parseObject, readBytes } from './body.ts'
import { checkCall } from './check.ts'
import { keepLongNumbers } from './long-numbers.ts'
import { readForm, withField } from './multipart.ts'

/** A request body, read and parsed once. */
export interface ReadRequest {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly payload: Payload
  readonly contentType: string
}

export interface ReadOptions {
  readonly as: 'operation' | 'json' | 'raw' | 'none'
  readonly operation: Operation
  readonly limit: number
  /** Called for each part of a large body. */
  readonly onChunk?: (() => void) | undefined
}

/** Reads a body the way its route wants it. Throws 400, 413 or 415. */
export async function readRequest(request: Request, { as, operation, limit, onChunk }: ReadOptions): Promise<ReadRequest> {
  const contentType = request.headers.get('content-type') ?? 'application/json'
  if (as === 'none') return { bytes: new Uint8Array(0), payload: { model: '' }, contentType }
  const form = as === 'operation' && contentType.toLowerCase().startsWith('multipart/form-data') && takesForms(operation)
  if (as !== 'raw' && !form) expectJson(contentType)
  const bytes = await readBytes(request, limit, onChunk)
  if (as === 'raw') return { bytes, payload: { model: '' }, contentType }
  if (form) {
    const fields = readForm(bytes, contentType)
    const payload = { ...fields, stream: fields.stream === 'true' } as unknown as Payload
    checkCall(operation, payload)
    return { bytes, payload, contentType }
  }
  const parsed = as === 'json' && bytes.byteLength === 0 ? {} : parseObject(bytes)
  const payload = parsed as Payload
  if (as === 'operation') checkCall(operation, payload)
  return { bytes, payload: payload.model === undefined ? { ...payload, model: '' } : payload, contentType: 'application/json' }
}

const takesForms = (operation: Operation) => operation === 'audio' || operation === 'images'

const encoder = new TextEncoder()

/**
 * The bytes of a rewritten payload. Of a form only the model can be rewritten; its files are not ours to touch. Where fields
 * were only added, the client's bytes stay as they are: writing a megabyte of pictures anew takes milliseconds.
 */
export function wireWith(body: ReadRequest | undefined, payload: Readonly<Payload>): Uint8Array<ArrayBuffer> {
  if (body && body.contentType !== 'application/json') return withField(body.bytes, body.contentType, 'model', payload.model)
  const added = body && fieldsAdded(body.payload, payload)
  if (added) return withFields(body.bytes, added)
  return encoder.encode(JSON.stringify(payload, body && keepLongNumbers(body.bytes))) as Uint8Array<ArrayBuffer>
}

/** What the second has beside all of the first; undefined when anything else is different. */
function fieldsAdded(before: Readonly<Payload>, after: Readonly<Payload>): Record<string, unknown> | undefined {
  let added: Record<string, unknown> | undefined
  for (const field in before) if (after[field] !== before[field] || !Object.hasOwn(after, field)) return
  for (const field in after) {
    if (Object.hasOwn(before, field) || after[field] === undefined) continue
    added ??= {}
    added[field] = after[field]
  }
  return added ?? {}
}

const [opening, closing, space] = [123, 125, 32] // { } and the last of what counts as space

/** The same object with more fields, in front of its own. It is known to be one. */
function withFields(bytes: Uint8Array<ArrayBuffer>, added: Readonly<Record<string, unknown>>): Uint8Array<ArrayBuffer> {
  const text = JSON.stringify(added).slice(0, -1)
  if (text.length === 1) return bytes
  const from = bytes.indexOf(opening)
  let first = from + 1
  while ((bytes[first] as number) <= space) first++
  const head = bytes[first] === closing ? text : `${text},`
  const more = Buffer.byteLength(head) - 1 // its brace takes the place of the old one
  const joined = Buffer.allocUnsafe(bytes.length + more)
  joined.set(bytes, more)
  for (let at = 0; at < from; at++) joined[at] = bytes[at] as number
  joined.write(head, from)
  return joined
}
