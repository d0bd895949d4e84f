import * as v from 'valibot'
import { type Kind, kindKey } from './settings.ts'
import { isMapping } from './tree.ts'

/** What a part of the schema expects, as far as names and text need to know. */
export type Shape =
  | { readonly kind: 'mapping'; readonly keys: Readonly<Record<string, Part>> }
  | { readonly kind: 'record'; readonly value: Part }
  | { readonly kind: 'list'; readonly item: Part }
  | { readonly kind: 'scalar' }
  /** Anything at all: inside the section of a plugin. */
  | { readonly kind: 'free' }

/** A valibot schema or a part of one. */
export type Part = v.GenericSchema

/** The shape of a part. `value`, when given, decides between the variants of a backend, and between a name and a mapping. */
export function shapeOf(part: Part, value?: unknown): Shape {
  const schema = unwrap(part)
  if (schema.entries) return { kind: 'mapping', keys: schema.entries }
  if (schema.type === 'union') {
    const shapes = (schema.options as unknown as readonly Part[]).map(option => shapeOf(option, value))
    return shapes.find(({ kind }) => (kind === 'mapping') === isMapping(value)) ?? { kind: 'scalar' }
  }
  if (schema.options) return { kind: 'mapping', keys: Object.assign({}, ...fitting(schema.options, value)) }
  if (schema.value) return { kind: 'record', value: schema.value }
  if (schema.item) return { kind: 'list', item: schema.item }
  return schema.type === 'unknown' && !schema.pipe ? { kind: 'free' } : { kind: 'scalar' }
}

/** The part that stands for `key` in a mapping, record or list. */
export function partAt(shape: Shape, key: string | number): Part | undefined {
  if (shape.kind === 'mapping') return Object.hasOwn(shape.keys, key) ? shape.keys[key] : undefined
  if (shape.kind === 'record') return shape.value
  return shape.kind === 'list' ? shape.item : undefined
}

/** The kind of a value, from the metadata that `setting` gave its schema. */
export function kindOf(part: Part): Kind | undefined {
  const { wrapped, pipe } = part as unknown as Inside
  if (wrapped) return kindOf(wrapped)
  for (const item of pipe ?? []) {
    const kind = item.kind === 'schema' && item !== (part as unknown) ? kindOf(item as unknown as Part) : item.metadata?.[kindKey]
    if (kind) return kind
  }
  return undefined
}

/** The members of valibot's schema objects that say what is inside; see its `SchemaWith…` types. */
interface Inside {
  readonly type: string
  readonly wrapped?: Part
  readonly pipe?: readonly PipeItem[]
  readonly entries?: Readonly<Record<string, Part>>
  readonly options?: readonly Variant[]
  readonly value?: Part
  readonly item?: Part
}

interface PipeItem {
  readonly kind: string
  readonly metadata?: Readonly<Record<typeof kindKey, Kind | undefined>>
}

interface Variant {
  readonly entries: Readonly<Record<string, Part>>
}

function unwrap(part: Part): Inside {
  const schema = part as unknown as Inside
  if (schema.wrapped) return unwrap(schema.wrapped)
  // `mapping()` puts a check in front of the schema proper, and a description may stand behind both.
  const last = schema.type === 'custom' ? (schema.pipe?.findLast(item => item.kind === 'schema') as Inside | undefined) : undefined
  return last && (last.type !== 'custom' || last.pipe) ? unwrap(last as unknown as Part) : schema
}

function fitting(variants: readonly Variant[], value: unknown) {
  const type = isMapping(value) ? value.type : undefined
  const fits = variants.filter(({ entries }) => entries.type && v.is(entries.type, type))
  return (fits.length > 0 ? fits : variants).map(variant => variant.entries)
}
