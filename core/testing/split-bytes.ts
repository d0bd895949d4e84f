import { seededRandom } from './random.ts'

/** Ways to cut a stream into chunks: whole, once at every offset, byte by byte, and `rounds` times at random. */
export function* everySplit(bytes: Uint8Array, rounds = 100): Generator<Uint8Array[]> {
  yield [bytes]
  for (let at = 1; at < bytes.length; at++) yield [bytes.slice(0, at), bytes.slice(at)]
  yield splitInto(bytes, 1)
  const random = seededRandom(bytes.length)
  for (let round = 0; round < rounds; round++) yield splitAtRandom(bytes, random)
}

/** Chunks of `size` bytes; the last one may be shorter. */
export function splitInto(bytes: Uint8Array, size: number): Uint8Array[] {
  const chunks: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.slice(at, at + size))
  return chunks
}

function splitAtRandom(bytes: Uint8Array, random: () => number): Uint8Array[] {
  const longest = 1 + Math.floor(random() * 40)
  const chunks: Uint8Array[] = []
  let at = 0
  while (at < bytes.length) {
    const size = Math.floor(random() * (longest + 1)) // empty chunks too
    chunks.push(bytes.slice(at, at + size))
    at += size
  }
  return chunks
}
