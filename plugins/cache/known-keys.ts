import { type Asked, keyOf, type Surroundings, textAround } from './key.ts'

/** Bodies that are remembered as they are; of larger ones, the digest. Bytes. */
const shortBody = 1024
const mostKnown = 1000

/**
 * `keyOf` that remembers. Most requests that have an answer in the cache are, byte for byte, one that came before: then it
 * is enough to know that, which for small bodies takes a third of the time of writing the canonical form and hashing it.
 */
export function createKeyOf(): (asked: Asked, around: Surroundings) => string | undefined {
  const known = new Map<string, string>()
  return (asked, around) => {
    const bytes = asked.wire?.()
    if (!bytes) return keyOf(asked, around) as string | undefined
    // no text around a body ends like this one: both are JSON
    const request = textAround(asked, around) + (bytes.length > shortBody ? `#${Bun.SHA256.hash(bytes, 'hex')}` : textOf(bytes))
    const before = known.get(request)
    if (before !== undefined) return before
    const key = keyOf(asked, around) as string | undefined
    if (known.size >= mostKnown) known.clear()
    if (key !== undefined) known.set(request, key)
    return key
  }
}

/** A character for each byte: other bytes are another text. */
const textOf = ({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>) =>
  Buffer.from(buffer, byteOffset, byteLength).toString('latin1')
