import type { Breathe } from './breather.ts'
import { type JsonReader, readJson, type Span } from './json-reader.ts'
import type { UsageReport } from './share-usage.ts'

/** An answer with embeddings, as it is written. */
export interface EmbeddingsAnswer {
  readonly bytes: Buffer
  /** Its text, with places for the two values that are not kept as they are. */
  readonly frame: readonly (Span | 'data' | 'usage')[]
  /** In the order of their indexes. */
  readonly items: readonly Item[]
  readonly usage: UsageReport | undefined
}

/** One item of `data`. */
export interface Item extends Span {
  /** Where its number stands. */
  readonly index: Span
}

/** Reads an answer; undefined when it does not have one vector for each of `count` inputs. Their numbers are not looked at. */
export async function readAnswer(body: Uint8Array, count: number, breathe: Breathe): Promise<EmbeddingsAnswer | undefined> {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const reader = readJson(bytes)
  const frame: (Span | 'data' | 'usage')[] = []
  let items: Item[] | undefined
  let usage: UsageReport | undefined
  let start = 0
  const leaveOut = (what: 'data' | 'usage', from: number) => {
    frame.push({ start, end: from }, what)
    start = reader.at
  }

  reader.enter('{')
  for (let name = reader.nextName(); name !== undefined; name = reader.nextName()) {
    const from = reader.at
    if (name === 'data') {
      if (items) return // twice
      items = await readItems(reader, bytes, count, breathe)
      if (!items) return
      leaveOut('data', from)
      continue
    }
    const value = reader.value()
    if (name === 'error' && parse(bytes, value) !== null) return
    if (name !== 'usage' || bytes[from] !== openObject) continue
    if (usage) return
    usage = parse(bytes, value) as UsageReport | undefined
    leaveOut('usage', from)
  }
  frame.push({ start, end: bytes.length })
  return items && reader.finished ? { bytes, frame, items, usage } : undefined
}

async function readItems(reader: JsonReader, bytes: Buffer, count: number, breathe: Breathe): Promise<Item[] | undefined> {
  const items = new Map<number, Item>()
  reader.enter('[')
  while (reader.nextItem()) {
    const item = readItem(reader, bytes)
    const index = item && parse(bytes, item.index)
    if (!item || !Number.isInteger(index) || items.has(index as number)) return
    items.set(index as number, item)
    const pause = breathe()
    if (pause) await pause
  }
  if (items.size !== count) return
  const inOrder = Array.from({ length: count }, (_, index) => items.get(index))
  return inOrder.every(item => item !== undefined) ? inOrder : undefined
}

function readItem(reader: JsonReader, bytes: Buffer): Item | undefined {
  const start = reader.at
  let index: Span | undefined
  let embedding: Span | undefined
  reader.enter('{')
  for (let name = reader.nextName(); name !== undefined; name = reader.nextName()) {
    if (name === 'embedding') {
      embedding = bytes[reader.at] === quote ? reader.value() : reader.numbers()
      if (!embedding || embedding.end - embedding.start <= 2) return // not a vector, or an empty one
    } else {
      const value = reader.value()
      if (name === 'index') index = value
    }
  }
  return index && embedding && { start, end: reader.at, index }
}

const openObject = 0x7b
const quote = 0x22

function parse(bytes: Buffer, { start, end }: Span): unknown {
  try {
    return JSON.parse(bytes.toString('utf8', start, end))
  } catch {
    return undefined
  }
}
