import { type Cursor, longest } from './gguf-cursor.ts'

/** A value of a header. Of a list, the numbers are there when it is short enough for one per layer. */
export type Value = number | string | boolean | { readonly count: number; readonly numbers?: readonly number[] }

/** More layers than any model has. */
const longestList = 16_384
/** Names and labels; a template is longer, and only asked whether it is there. */
const longestText = 1024

const stringType = 8
const listType = 9
const readers: Readonly<Record<number, readonly [bytes: number, read: (view: DataView, at: number) => number | boolean]>> = {
  0: [1, (view, at) => view.getUint8(at)],
  1: [1, (view, at) => view.getInt8(at)],
  2: [2, (view, at) => view.getUint16(at, true)],
  3: [2, (view, at) => view.getInt16(at, true)],
  4: [4, (view, at) => view.getUint32(at, true)],
  5: [4, (view, at) => view.getInt32(at, true)],
  6: [4, (view, at) => view.getFloat32(at, true)],
  7: [1, (view, at) => view.getUint8(at) !== 0],
  10: [8, (view, at) => Number(view.getBigUint64(at, true))],
  11: [8, (view, at) => Number(view.getBigInt64(at, true))],
  12: [8, (view, at) => view.getFloat64(at, true)],
}

/** Reads a value and the type in front of it, or walks past it when it is not wanted. */
export async function readValue(cursor: Cursor, wanted: boolean): Promise<Value> {
  await cursor.fill(4)
  const type = cursor.u32()
  if (type === listType) return readList(cursor, wanted)
  if (type === stringType) return (await readText(cursor, wanted ? longestText : 0)) ?? ''
  const [bytes, read] = readerOf(type)
  await cursor.fill(bytes)
  return read(viewOf(cursor.take(bytes)), 0)
}

/** Reads a text; undefined when it is longer than `most`, which is walked past. */
export async function readText(cursor: Cursor, most: number): Promise<string | undefined> {
  if (cursor.ready() < 8) await cursor.fill(8)
  const length = cursor.u64()
  if (length > Math.min(most, longest)) {
    cursor.skip(length)
    return undefined
  }
  if (cursor.ready() < length) await cursor.fill(length)
  return new TextDecoder().decode(cursor.take(length))
}

async function readList(cursor: Cursor, wanted: boolean): Promise<Value> {
  await cursor.fill(12)
  const type = cursor.u32()
  const count = cursor.u64()
  if (type === stringType) {
    // the only thing in a header that takes long: a few hundred thousand words, each of its own length
    for (let left = count; left > 0; left--) {
      if (cursor.ready() < 8) await cursor.fill(8)
      cursor.skip(cursor.u64())
    }
    return { count }
  }
  const [bytes, read] = readerOf(type)
  if (!wanted || count > longestList) {
    cursor.skip(count * bytes)
    return { count }
  }
  if (count * bytes > longest) throw new Error('has a list in its header that is too long')
  await cursor.fill(count * bytes)
  const view = viewOf(cursor.take(count * bytes))
  return { count, numbers: Array.from({ length: count }, (_, index) => Number(read(view, index * bytes))) }
}

function readerOf(type: number) {
  const reader = readers[type]
  if (!reader) throw new Error(`has a value in its header of a type that there is not: ${type}`)
  return reader
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
