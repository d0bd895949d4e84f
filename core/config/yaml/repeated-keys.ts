import type { Path } from '../tree.ts'
import { type OnKey, readFlow } from './flow.ts'
import { isGap, isLineEnd, NotUnderstood, nextLine, skipBlanks, skipProperties, skipQuoted, unquote, yamlText } from './text.ts'

/** A key that a mapping has a second time. */
export interface RepeatedKey {
  readonly path: Path
  /** The line in which it first stands, from 1, and the one in which it does again. */
  readonly first: number
  readonly again: number
}

/** A mapping or list, by its lines, that may go on in the next line. */
interface Block {
  readonly indent: number
  readonly path: Path
  /** Of a mapping: its keys and where they stand. */
  readonly keys?: Map<string, number>
  /** The key or the position that was read last. */
  last: string | number
}

/**
 * Finds keys that one mapping has twice. YAML forbids them, but Bun's parser takes the last one and says nothing.
 * The text must be YAML. Where it has what is not understood here (keys after a `?`), the search ends.
 */
export function repeatedKeys(source: string): readonly RepeatedKey[] {
  const { text, lineOf } = yamlText(source)
  const found: RepeatedKey[] = []
  const onKey: OnKey = (keys, path, key, at) => {
    const first = keys.get(key)
    if (first === undefined) keys.set(key, at)
    // `<<` merges, and may do so from several places
    else if (key !== '<<') found.push({ path: [...path, key], first: lineOf(first), again: lineOf(at) })
  }
  try {
    for (const open: Block[] = [], at = { line: 0 }; at.line < text.length; ) at.line = readLine(text, at.line, open, onKey)
  } catch (error) {
    if (!(error instanceof NotUnderstood)) throw error
  }
  return found
}

/** Reads from the beginning of a line. Answers the beginning of the next line that is not part of what it began. */
function readLine(text: string, line: number, open: Block[], onKey: OnKey): number {
  let at = skipBlanks(text, line)
  if (isLineEnd(text, at)) return nextLine(text, at)
  if (isMarker(text, line)) {
    open.length = 0
    at = skipBlanks(text, line + 3)
    if (isLineEnd(text, at)) return nextLine(text, at)
  }
  if (text[line] === '%' && open.length === 0) return nextLine(text, line)
  while (text[at] === '-' && isGap(text[at + 1])) {
    const list = enter(open, at - line, true)
    list.last = Number(list.last) + 1
    at = skipBlanks(text, at + 1)
    if (isLineEnd(text, at)) return nextLine(text, at)
  }
  if (text[at] === '?' && isGap(text[at + 1])) throw new NotUnderstood()
  const start = skipProperties(text, at)
  if (isLineEnd(text, start)) return nextLine(text, start)
  const key = readKey(text, start)
  if (!key) {
    const around = open.findLast(({ indent }) => indent < at - line)
    return readValue(text, start, around?.indent ?? -1, around ? pathIn(around) : [], onKey)
  }
  const mapping = enter(open, at - line, false)
  mapping.last = key.name
  onKey(mapping.keys as Map<string, number>, mapping.path, key.name, at)
  const value = skipProperties(text, skipBlanks(text, key.end))
  return isLineEnd(text, value) ? nextLine(text, value) : readValue(text, value, mapping.indent, pathIn(mapping), onKey)
}

/** `---` and `...`. */
const isMarker = (text: string, line: number) => /^(---|\.\.\.)$/.test(text.slice(line, line + 3)) && isGap(text[line + 3])

const pathIn = ({ path, last }: Block): Path => [...path, last]

/** The list or mapping that has an entry at a column: one that is open, else a new one. What lies deeper has ended. */
function enter(open: Block[], indent: number, isList: boolean): Block {
  for (let top = open.at(-1); top && (top.indent > indent || (!isList && !top.keys && top.indent === indent)); top = open.at(-1)) open.pop()
  const top = open.at(-1)
  // a list may stand at the column of the key it belongs to
  if (top && top.indent === indent && isList === !top.keys) return top
  const path = top ? pathIn(top) : []
  const block: Block = isList ? { indent, path, last: -1 } : { indent, path, last: '', keys: new Map() }
  open.push(block)
  return block
}

/** The key that begins at a position, and where its `:` ends; undefined when there is none. */
function readKey(text: string, at: number): { readonly name: string; readonly end: number } | undefined {
  if (text[at] === '{' || text[at] === '[') return undefined
  if (text[at] === '"' || text[at] === "'") {
    const end = skipQuoted(text, at)
    const colon = skipBlanks(text, end)
    const token = text.slice(at, end)
    return text[colon] === ':' && isGap(text[colon + 1]) && !token.includes('\n') ? { name: unquote(token), end: colon + 1 } : undefined
  }
  for (let end = at; end < text.length && !isLineEnd(text, end); end++) {
    if (text[end] === ':' && isGap(text[end + 1])) return { name: text.slice(at, end).trimEnd(), end: end + 1 }
  }
  return undefined
}

/** Past a value that is no mapping or list by its lines. What is indented more than `indent` may be more of it. */
function readValue(text: string, at: number, indent: number, path: Path, onKey: OnKey): number {
  const char = text[at] ?? ''
  if (char === '"' || char === "'") return nextLine(text, skipQuoted(text, at))
  if (char === '{' || char === '[') {
    const end = readFlow(text, at, path, onKey)
    if (text[skipBlanks(text, end)] === ':') throw new NotUnderstood()
    return nextLine(text, end)
  }
  const isBlock = char === '|' || char === '>'
  let line = nextLine(text, at)
  while (line < text.length && !isMarker(text, line)) {
    const first = skipBlanks(text, line)
    const isEmpty = text[first] === '\n' || first === text.length
    if (!isEmpty && (first - line <= indent || (!isBlock && text[first] === '#'))) break
    line = nextLine(text, line)
  }
  return line
}
