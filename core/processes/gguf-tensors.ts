import type { Cursor } from './gguf-cursor.ts'
import { readText } from './gguf-values.ts'

/** How the tensors of a file share its bytes. */
export interface Tensors {
  readonly count: number
  readonly bytes: number
  /** The bytes of each layer; a layer that is in another file, or in none, has 0. */
  readonly layerBytes: readonly number[]
  /** False when the file ends before its last tensor begins: it is still being copied. */
  readonly complete: boolean
}

interface Place {
  readonly layer: number
  readonly offset: number
}

const longestName = 1024
/** ggml's own limit. */
const mostDimensions = 4
/** More than any model has; a layer beyond is no layer. */
const mostLayers = 16_384

/**
 * Reads where each tensor stands, behind the values of a header. Its bytes are taken to be those up to the next one, so
 * that nothing need be known of the types, of which there are new ones every year.
 */
export async function readTensors(
  cursor: Cursor,
  { count, fileBytes, alignment }: { readonly count: number; readonly fileBytes: number; readonly alignment: number },
): Promise<Tensors> {
  const places: Place[] = []
  for (let left = count; left > 0; left--) places.push(await readPlace(cursor))
  const begin = Math.ceil(cursor.at() / Math.max(1, alignment)) * Math.max(1, alignment)
  const size = Math.max(0, fileBytes - begin)
  places.sort((a, b) => a.offset - b.offset)
  const layerBytes: number[] = []
  for (const [index, { layer, offset }] of places.entries()) {
    if (layer < 0) continue
    const end = Math.min(places[index + 1]?.offset ?? size, size)
    while (layerBytes.length <= layer) layerBytes.push(0)
    layerBytes[layer] = (layerBytes[layer] ?? 0) + Math.max(0, end - offset)
  }
  return { count, bytes: size, layerBytes, complete: (places.at(-1)?.offset ?? -1) < size }
}

async function readPlace(cursor: Cursor): Promise<Place> {
  const name = await readText(cursor, longestName)
  if (name === undefined) throw new Error('has a tensor with a name that is too long')
  await cursor.fill(4)
  const dimensions = cursor.u32()
  if (dimensions > mostDimensions) throw new Error(`has a tensor of ${dimensions} dimensions`)
  await cursor.fill(dimensions * 8 + 12)
  cursor.skip(dimensions * 8 + 4) // how long each is, and the type
  const layer = Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? -1)
  return { layer: layer < mostLayers ? layer : -1, offset: cursor.u64() }
}
