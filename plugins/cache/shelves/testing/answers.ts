import type { Answer, Head, KeptAnswer } from '../../kept.ts'
import type { Limits } from '../../memory/memory.ts'

/** Never in the way. */
export const roomy: Limits = { maxEntries: 1e6, maxBytes: 1e9, ttlMs: 1e9 }

/** As old as it may be. */
export const any = Number.POSITIVE_INFINITY

/** The key for a name. */
export const keyOf = (name: string | number): string => Bun.SHA256.hash(String(name), 'hex')

/** Bytes that differ by seed. */
export const bodyOf = (length: number, seed = 0): Uint8Array<ArrayBuffer> => {
  const body = new Uint8Array(length)
  for (let at = 0; at < length; at++) body[at] = (at * 31 + (at >> 8) + seed) % 251
  return body
}

/** A head like any other. */
export const headOf = (fields: Partial<Head> = {}): Head => ({
  form: 'json',
  contentType: 'application/json',
  model: 'm',
  tokens: 7,
  tookMs: 1.5,
  ...fields,
})

/** An answer of ten bytes, of a model. */
export const answerOf = (model = 'm', length = 10, seed = 0): Answer => ({ head: headOf({ model }), body: bodyOf(length, seed) })

/** True when it is the answer that `answerOf` makes of the same. */
export const isAnswerOf = (found: KeptAnswer | undefined, length: number, seed: number): boolean =>
  found !== undefined && Buffer.compare(found.body, bodyOf(length, seed)) === 0

/** Lengths of all kinds, some of several pieces. */
export const lengthOf = (at: number): number => (at % 11 === 0 ? 700_000 : at % 3 === 0 ? 20_000 : 10 + (at % 500))
