import type { OllamaLogprob } from './answer.ts'
import type { Json } from './values.ts'

/** A chat choice's `logprobs`; null when there are none. */
export function chatLogprobs(logprobs: readonly OllamaLogprob[] | null | undefined): Json | null {
  if (!logprobs || logprobs.length === 0) return null
  return { content: logprobs.map(entry => ({ ...token(entry), top_logprobs: (entry.top_logprobs ?? []).map(token) })), refusal: null }
}

const token = ({ token, logprob, bytes }: OllamaLogprob) => ({ token, logprob, bytes: bytes ?? null })

/** A completion choice's `logprobs`, in the older form: parallel lists, with offsets into the text from `offset` on. */
export function completionLogprobs(logprobs: readonly OllamaLogprob[] | null | undefined, offset: number): Json | null {
  if (!logprobs || logprobs.length === 0) return null
  let at = offset
  const offsets = logprobs.map(({ token }) => {
    const start = at
    at += token.length
    return start
  })
  return {
    tokens: logprobs.map(({ token }) => token),
    token_logprobs: logprobs.map(({ logprob }) => logprob),
    top_logprobs: logprobs.map(({ top_logprobs }) =>
      Object.fromEntries((top_logprobs ?? []).map(({ token, logprob }) => [token, logprob])),
    ),
    text_offset: offsets,
  }
}
