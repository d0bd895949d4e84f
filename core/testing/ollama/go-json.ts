/** A Go type as far as encoding/json cares; `name` is what its errors call it. */
export type GoType =
  | { readonly kind: 'string' | 'bool' | 'int' | 'any' }
  | { readonly kind: 'bytes'; readonly name: string }
  | { readonly kind: 'slice'; readonly name: string; readonly of: GoType }
  | { readonly kind: 'map'; readonly name: string }
  | { readonly kind: 'struct'; readonly name: string; readonly goName: string; readonly fields: () => GoFields; readonly own?: boolean }
  | { readonly kind: 'ordered'; readonly of: GoType }
  | { readonly kind: 'custom'; readonly check: (value: unknown) => string | undefined }

/** The fields of a Go struct by their JSON names. */
export type GoFields = Readonly<Record<string, GoType>>

/** A body that Go would not decode, with Go's words. */
export class GoDecodeError extends Error {}

/**
 * Decodes `value` as Go's encoding/json does: names match in any case, unknown fields are dropped, null leaves a
 * field unset, a wrong type is an error in Go's words. Checked against Ollama's api package built with Go 1.26.
 */
export function goDecode(type: GoType, value: unknown): Record<string, unknown> {
  const decoded = decode(type, value, { struct: '', path: [] })
  return typeof decoded === 'object' && decoded !== null ? (decoded as Record<string, unknown>) : {}
}

interface Place {
  /** The struct that Go names in the error. */
  readonly struct: string
  readonly path: readonly string[]
  /** Inside a type with an UnmarshalJSON of its own the error keeps the name of the struct around it. */
  readonly fixed?: boolean
}

function decode(type: GoType, value: unknown, place: Place): unknown {
  if (type.kind === 'custom') {
    // encoding/json hands `null` to a pointer without asking its UnmarshalJSON.
    const message = value === null ? undefined : type.check(value)
    if (message !== undefined) throw new GoDecodeError(message)
    return value
  }
  if (value === null || type.kind === 'any') return value
  switch (type.kind) {
    case 'string':
      return typeof value === 'string' ? value : wrong(value, 'string', place)
    case 'bool':
      return typeof value === 'boolean' ? value : wrong(value, 'bool', place)
    case 'int':
      if (typeof value === 'number' && !Number.isInteger(value)) return wrong(`number ${value}`, 'int', place)
      return typeof value === 'number' ? value : wrong(value, 'int', place)
    case 'bytes':
      if (Array.isArray(value)) return Buffer.from(value as number[])
      return typeof value === 'string' ? base64(value) : wrong(value, type.name, place)
    case 'map':
      return isObject(value) ? value : wrong(value, type.name, place)
    case 'slice':
      return Array.isArray(value) ? value.map(item => decode(type.of, item, place)) : wrong(value, type.name, place)
    case 'ordered':
      return decodeOrdered(type.of, value, place)
    case 'struct':
      return isObject(value) ? decodeStruct(type, value, place) : wrong(value, type.name, place)
  }
}

function decodeStruct(type: GoType & { kind: 'struct' }, value: Record<string, unknown>, place: Place): unknown {
  const fields = type.fields()
  const decoded: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) {
    const name = Object.hasOwn(fields, key) ? key : key.toLowerCase()
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined
    const fixed = type.own === true || place.fixed === true
    const struct = fixed ? place.struct : type.goName
    if (field) decoded[name] = decode(field, item, { struct, path: [...place.path, name], fixed })
  }
  return decoded
}

function decodeOrdered(of: GoType, value: unknown, place: Place): unknown {
  // The words are those of the wk8/go-ordered-map package, which looks for braces itself.
  if (!isObject(value)) throw new GoDecodeError("Value looks like object, but can't find closing '}' symbol")
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(of, item, { ...place, fixed: true })]))
}

function base64(text: string): Buffer {
  const plain = text.replace(/[\r\n]/g, '')
  const stray = plain.search(/[^A-Za-z0-9+/=]/)
  if (stray >= 0) throw new GoDecodeError(`illegal base64 data at input byte ${stray}`)
  if (plain.length % 4 !== 0 || /=[^=]/.test(plain)) {
    throw new GoDecodeError(`illegal base64 data at input byte ${plain.length - (plain.length % 4 || 4)}`)
  }
  return Buffer.from(plain, 'base64')
}

function wrong(value: unknown, wanted: string, { struct, path }: Place): never {
  const found = typeof value === 'string' && value.startsWith('number ') ? value : kindOf(value)
  const target = struct === '' ? 'value' : `struct field ${struct}.${path.join('.')}`
  throw new GoDecodeError(`json: cannot unmarshal ${found} into Go ${target} of type ${wanted}`)
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
