import type { Context } from 'gatehouse'

/** Fields that say how long an answer may be. */
const lengthFields = ['max_completion_tokens', 'max_tokens', 'max_output_tokens', 'n_predict'] as const
/** What an answer has when nobody says how long it may be. */
const usualAnswer = 512
const bytesPerToken = 4

/** What a request will probably come to, in tokens; within a microsecond. */
export function likelyTokens({ payload, wire }: Pick<Context, 'payload' | 'wire'>): number {
  const said = lengthFields
    .map(field => payload[field])
    .find((value): value is number => Number.isSafeInteger(value) && (value as number) > 0)
  return Math.ceil(wire().byteLength / bytesPerToken) + (said ?? usualAnswer)
}
