/** Where something stands. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** Walks through well-formed JSON without making anything of it: numbers stay as they are written, and long lists are passed over fast. */
export interface JsonReader {
  readonly at: number
  /** True at the end of a text in which nothing was amiss. */
  readonly finished: boolean
  /** Steps into the object or list that begins here. */
  enter(bracket: '{' | '['): void
  /** The next field's name, as it is written, and steps to its value; undefined behind the last, and steps out. */
  nextName(): string | undefined
  /** Steps to the next item; false behind the last, and steps out. */
  nextItem(): boolean
  /** Passes over the value that begins here. */
  value(): Span
  /** Passes over a list of numbers that begins here; undefined when it is anything else. */
  numbers(): Span | undefined
}

/** A reader at the beginning of a text. */
export function readJson(bytes: Buffer): JsonReader {
  const { length } = bytes
  let at = 0
  let amiss = false

  const giveUp = () => {
    amiss = true
    at = length // so every loop ends
  }
  const skipSpace = () => {
    while (isSpace(bytes[at])) at++
  }
  const skipTo = (place: number) => {
    if (place === -1) giveUp()
    else at = place
  }
  /** Behind the comma, if any; true when there is something in front of the end. */
  const advance = (close: number): boolean => {
    skipSpace()
    if (bytes[at] === comma) at++
    skipSpace()
    if (bytes[at] !== close) {
      if (at >= length) giveUp()
      return !amiss
    }
    at++
    skipSpace()
    return false
  }
  const skipValue = () => {
    const first = bytes[at]
    if (first === quote) skipTo(endOfText(bytes, at))
    else if (first === openList || first === openObject) skipTo(endOfContainer(bytes, at))
    else {
      const start = at
      while (at < length && !endsWord(bytes[at])) at++
      if (at === start) giveUp()
    }
  }
  const span = (start: number): Span => {
    const found = { start, end: at }
    skipSpace()
    return found
  }

  skipSpace()
  return {
    get at() {
      return at
    },
    get finished() {
      return !amiss && at === length
    },
    enter(bracket) {
      if (bytes[at] === bracket.charCodeAt(0)) at++
      else giveUp()
    },
    nextName() {
      if (!advance(closeObject)) return
      const start = at + 1
      if (bytes[at] !== quote) giveUp()
      else skipTo(endOfText(bytes, at))
      const name = amiss ? undefined : bytes.toString('latin1', start, at - 1)
      skipSpace()
      if (bytes[at] === colon) at++
      else giveUp()
      skipSpace()
      return amiss ? undefined : name
    },
    nextItem: () => advance(closeList),
    value() {
      const start = at
      skipValue()
      return span(start)
    },
    numbers() {
      if (bytes[at] !== openList) return
      const close = bytes.indexOf(closeList, at)
      const inside = bytes.subarray(at + 1, close)
      const first = inside.find(byte => !isSpace(byte))
      if (close === -1 || first === undefined || others.some(sign => inside.includes(sign))) return
      const start = at
      at = close + 1
      return span(start)
    },
  }
}

const [quote, comma, colon] = [0x22, 0x2c, 0x3a]
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d]
/** Signs that a list of something else than numbers has: `"`, `[`, `{`, and the n, t and f of null, true and false. */
const others = [quote, openList, openObject, 0x6e, 0x74, 0x66]

const isSpace = (byte: number | undefined) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
const endsWord = (byte: number | undefined) => byte === comma || byte === closeList || byte === closeObject || isSpace(byte)

/** The place behind the quote that ends the text; -1 when none does. */
function endOfText(bytes: Buffer, start: number): number {
  let at = bytes.indexOf(quote, start + 1)
  while (at !== -1 && isEscaped(bytes, at)) at = bytes.indexOf(quote, at + 1)
  return at === -1 ? -1 : at + 1
}

function isEscaped(bytes: Buffer, at: number): boolean {
  let backslashes = 0
  while (bytes[at - 1 - backslashes] === 0x5c) backslashes++
  return backslashes % 2 === 1
}

/** The place behind the bracket that closes this one; -1 when none does. */
function endOfContainer(bytes: Buffer, start: number): number {
  let depth = 0
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === quote) {
      const end = endOfText(bytes, at)
      if (end === -1) return -1
      at = end - 1
    } else if (byte === openList || byte === openObject) depth++
    else if (byte === closeList || byte === closeObject) {
      depth--
      if (depth === 0) return at + 1
    }
  }
  return -1
}
