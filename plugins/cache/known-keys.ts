import type { MaybePromise } from 'gatehouse'
import { type Asked, type Digest, keyOf, type Surroundings, textAround } from './key.ts'

/** Bodies up to this are remembered as they are; of larger ones, the digest. Bytes. */
const shortBody = 1024
/** Larger ones are hashed in a thread: here they would hold up the others twice. */
const longestBody = 64 * 1024
const mostKnown = 1000

/** `keyOf` for many requests. */
export type KeyOf = (asked: Asked, around: Surroundings) => MaybePromise<string | undefined>

/**
 * `keyOf` that remembers. Most requests that have an answer in the cache are, byte for byte, one that came before: then it
 * is enough to know that, and the canonical form need not be written and hashed again.
 */
export function createKeyOf(digest: Digest): KeyOf {
  const known = new Map<string, string>()
  return (asked, around) => {
    const bytes = asked.wire?.()
    if (!bytes || bytes.length > longestBody) return keyOf(asked, around, digest)
    // no body is taken for a digest: it begins with a brace
    const body = bytes.length > shortBody ? Bun.SHA256.hash(bytes, 'hex') : textOf(bytes)
    const request = textAround(asked, around) + body
    const before = known.get(request)
    if (before !== undefined) return before
    const key = keyOf(asked, around, digest)
    if (typeof key !== 'string') return key
    if (known.size === mostKnown) known.clear()
    known.set(request, key)
    return key
  }
}

/** A character for each byte: other bytes are another text. */
const textOf = ({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>) =>
  Buffer.from(buffer, byteOffset, byteLength).toString('latin1')
