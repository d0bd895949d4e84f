import { promptTokens } from '../behaviour/numbers.ts'
import { vectorFor } from '../behaviour/vector.ts'
import type { Body } from './endpoint.ts'

/** The vectors for an `input` in any of its four forms, as floats or as base64 of little-endian float32. */
export function embeddingItems({ input, encoding_format: format, dimensions }: Body, extra: Body = {}): unknown[] {
  return textsOf(input).map((text, index) => {
    const vector = vectorFor(text, typeof dimensions === 'number' ? dimensions : undefined)
    const embedding = format === 'base64' ? Buffer.from(new Float32Array(vector).buffer).toString('base64') : vector
    return { object: 'embedding', index, embedding, ...extra }
  })
}

/** The usage of an embedding. */
export const embeddingUsage = { prompt_tokens: promptTokens, total_tokens: promptTokens }

function textsOf(input: unknown): string[] {
  if (!Array.isArray(input)) return [String(input)]
  if (typeof input[0] === 'number') return [input.join(' ')]
  return input.map(item => (Array.isArray(item) ? item.join(' ') : String(item)))
}
