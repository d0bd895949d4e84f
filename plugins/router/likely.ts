import type { Context, ResolvedModel } from 'gatehouse'

/** Fields that say how long an answer may be. */
const lengthFields = ['max_tokens', 'max_completion_tokens', 'max_output_tokens', 'n_predict'] as const
/** What an answer has when nobody says how long it may be. */
const usualAnswer = 512
const bytesPerToken = 4

/** What a request will probably come to, in tokens, and no more than fits into the model. Costs next to nothing. */
export function likelyTokens(
  { payload, wire }: Pick<Context, 'payload' | 'wire'>,
  { contextLength, maxOutputTokens }: ResolvedModel,
): number {
  const likely = Math.ceil(wire().byteLength / bytesPerToken) + (saidLength(payload) ?? maxOutputTokens ?? usualAnswer)
  return contextLength === undefined ? likely : Math.min(likely, contextLength)
}

function saidLength(payload: Context['payload']): number | undefined {
  for (const field of lengthFields) {
    const value = payload[field]
    if (Number.isSafeInteger(value) && (value as number) > 0) return value as number
  }
}
