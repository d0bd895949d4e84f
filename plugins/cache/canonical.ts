import { exactNumber } from './exact-number.ts'

/** ES2025 (JSON.parse source text access); not yet in the types. */
const { isRawJSON } = JSON as unknown as { isRawJSON(value: unknown): value is { readonly rawJSON: string } }

/** Text for a JSON value that is the same for values that mean the same, and for no others. */
export interface Canonical {
  readonly text: string
  /** A number was met that JavaScript cannot hold exactly: the text stands for its neighbours too. */
  readonly rounded: boolean
}

/**
 * Fields in the order of their names, numbers by their value, texts by their characters (code units: `é` in one
 * character and in two are not the same). Minus zero is not zero, null is not absent, arrays keep their order.
 */
export function canonical(value: unknown): Canonical {
  let rounded = false

  const writeNumber = (number: number) => {
    if (!Number.isSafeInteger(number) && (Number.isInteger(number) || !Number.isFinite(number))) rounded = true
    return Object.is(number, -0) ? '-0,' : `${number},`
  }
  const writeArray = (items: readonly unknown[]) => {
    let text = '['
    for (const item of items) text += write(item)
    return `${text}]`
  }
  const writeObject = (object: Readonly<Record<string, unknown>>) => {
    let text = '{'
    for (const name of namesInOrder(object)) {
      const field = object[name]
      if (field !== undefined) text += writeText(name) + write(field)
    }
    return `${text}}`
  }
  const write = (value: unknown): string => {
    if (typeof value === 'string') return writeText(value)
    if (typeof value === 'number') return writeNumber(value)
    if (typeof value === 'boolean') return value ? 't' : 'f'
    if (Array.isArray(value)) return writeArray(value)
    if (typeof value !== 'object' || value === null) return 'n'
    if (isRawJSON(value)) return `${exactNumber(value.rawJSON)},`
    return writeObject(value as Readonly<Record<string, unknown>>)
  }

  const text = write(value)
  return { text, rounded }
}

/** Behind its length no text needs escapes. Half a surrogate pair does: as UTF-8, all of them would be the same. */
const writeText = (text: string) => (text.isWellFormed() ? `"${text.length}:${text}` : `\\${JSON.stringify(text)}`)

/** By code units, the same everywhere. */
function namesInOrder(object: object): readonly string[] {
  const names = Object.keys(object)
  if (names.length > 12) return names.sort()
  // the few fields of a message: sorting them in place takes half as long
  for (let i = 1; i < names.length; i++) {
    const name = names[i] as string
    let at = i
    for (; at > 0 && (names[at - 1] as string) > name; at--) names[at] = names[at - 1] as string
    names[at] = name
  }
  return names
}
