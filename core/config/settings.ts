import * as v from 'valibot'
import { isMapping } from './tree.ts'

/** What is special about a value when the config is shown: `argument` may hold a secret, among other words. */
export type Kind = 'duration' | 'secret' | 'argument'

/** How a value is written: its JSON Schema, for editors, and its kind. */
export interface Form {
  readonly json: Readonly<Record<string, unknown>>
  readonly kind?: Kind
}

/** The key under which the metadata of a schema holds the kind of its values. */
export const kindKey = 'kind'

/**
 * One value of the config file. `read` turns what was written, often text from the environment, into what
 * the program uses and answers undefined when it cannot; `what` completes the sentence "must be …".
 */
export const setting = <T>(
  what: string,
  read: (value: unknown) => T | undefined,
  { json, kind }: Form,
  show: (value: unknown) => string = showValue,
) =>
  v.pipe(
    v.unknown(),
    v.rawTransform<unknown, T>(({ dataset, addIssue, NEVER }) => {
      const value = read(dataset.value)
      if (value !== undefined) return value
      addIssue({ message: `must be ${what}${show(dataset.value)}` })
      return NEVER
    }),
    v.metadata({ ...json, ...(kind && { [kindKey]: kind }) }),
  )

/** A schema with the sentence that editors show beside the key. */
export const key = <Schema extends v.GenericSchema>(schema: Schema, description: string) => v.pipe(schema, v.description(description))

/** A list. Text is taken apart before it gets here, see normalise.ts. */
export const list = <Item extends v.GenericSchema>(item: Item) =>
  v.pipe(
    v.array(item, issue => `must be a list such as [a, b]${showValue(issue.input)}`),
    v.metadata({ type: ['array', 'string'] }),
  )

/** An object with named parts. valibot alone would let a list pass for one. */
export const mapping = <Inner extends v.GenericSchema>(inner: Inner) =>
  v.pipe(
    v.custom<v.InferInput<Inner>>(isMapping, issue => `must be a mapping such as { key: value }${showKind(issue.input)}`),
    inner,
  )

/** A section whose keys somebody else knows. */
export const section = v.optional(mapping(v.record(v.string(), v.unknown())), {})

/** `, not "abc"`: the end of a complaint about a value that is no secret. */
export function showValue(value: unknown): string {
  if (typeof value === 'object' && value !== null) return showKind(value)
  // JSON has no word for these, YAML has
  if (typeof value === 'number' && !Number.isFinite(value))
    return `, not ${String(value)
      .replace(/^(-?)Inf.*/, '$1.inf')
      .replace('NaN', '.nan')}`
  const shown = JSON.stringify(value ?? null)
  return `, not ${shown.length > 60 ? `${shown.slice(0, 60)}…` : shown}`
}

/** The end of a complaint about a value that may be a secret. */
export const showNothing = (): string => ''

function showKind(value: unknown): string {
  if (value === null) return ', not empty'
  if (Array.isArray(value)) return ', not a list'
  return isMapping(value) ? ', not a mapping' : `, not a ${typeof value}`
}
