import type { Path } from '../tree.ts'
import { isGap, isLineEnd, NotUnderstood, nextLine, skipBlanks, skipProperties, skipQuoted, unquote } from './text.ts'

/** Called for each key of a mapping; `mapping` is its own for each mapping. */
export type OnKey = (mapping: Map<string, number>, path: Path, key: string, at: number) => void

/** Deeper nesting than anybody writes, and far less than the stack bears. */
const deepest = 500

/** Goes through a list or mapping in brackets that begins at a position. Answers where it ends. */
export function readFlow(text: string, at: number, path: Path, onKey: OnKey): number {
  if (path.length > deepest) throw new NotUnderstood()
  const isMap = text[at] === '{'
  const close = isMap ? '}' : ']'
  const keys = new Map<string, number>()
  let index = 0
  let next = skipGap(text, at + 1)
  while (text[next] !== close) {
    if (text[next] === undefined || (text[next] === '?' && isGap(text[next + 1]))) throw new NotUnderstood()
    if (text[next] === ',') index++
    else {
      const start = next
      const here = isMap ? path : [...path, index]
      const node = readNode(text, start, here, onKey)
      next = skipGap(text, node.end)
      const name = node.name ?? ''
      // in a mapping, a key may stand without a value
      if (isMap && node.name !== undefined) onKey(keys, path, name, start)
      if (isColon(text, next, node.exact)) {
        const value = skipGap(text, next + 1)
        next = skipGap(text, /[,\]}]/.test(text[value] ?? '') ? value : readNode(text, value, [...here, name], onKey).end)
      }
      if (text[next] !== ',' && text[next] !== close) throw new NotUnderstood()
      continue
    }
    next = skipGap(text, next + 1)
  }
  return next + 1
}

/** What ends a node without quotes between brackets. */
const ends = ',[]{}'

interface Node {
  readonly end: number
  /** What it says when it is a scalar. */
  readonly name?: string
  /** Its end can be seen, so that a `:` behind it needs no space. */
  readonly exact: boolean
}

function readNode(text: string, at: number, path: Path, onKey: OnKey): Node {
  const start = skipProperties(text, at, ends)
  const char = text[start] ?? ''
  if (char === '{' || char === '[') return { end: readFlow(text, start, [...path], onKey), exact: true }
  if (char === '"' || char === "'") {
    const end = skipQuoted(text, start)
    return { end, name: unquote(text.slice(start, end)), exact: true }
  }
  let end = start
  while (end < text.length && !ends.includes(text[end] as string) && !isColon(text, end, false) && !isComment(text, end)) end++
  return { end, name: text.slice(start, end).trim(), exact: false }
}

const isColon = (text: string, at: number, exact: boolean) =>
  text[at] === ':' && (exact || isGap(text[at + 1]) || ends.includes(text[at + 1] as string))

const isComment = (text: string, at: number) => text[at] === '#' && isGap(text[at - 1])

/** Past spaces, lines and comments. */
function skipGap(text: string, at: number): number {
  let end = skipBlanks(text, at)
  while (end < text.length && isLineEnd(text, end)) end = skipBlanks(text, nextLine(text, end))
  return end
}
