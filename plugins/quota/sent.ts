import type { Context } from 'gatehouse'

/** How much of a stream has gone out. */
export interface Sent {
  /** About so many tokens. */
  readonly tokens: number
  take(chunk: Uint8Array): void
}

/**
 * Counts the events of a stream: most servers send one for each token. Those that put several into one (vLLM's
 * `--stream-interval`, drafts that were right) are told by the length of their events, which else have all in common; four
 * bytes make a token. Not where events bring more than text: probabilities, or in other dialects the whole request.
 */
export function countSent({ operation, payload }: Pick<Context, 'operation' | 'payload'>, isEvents: boolean): Sent {
  const onlyText = (operation === 'chat.completions' || operation === 'completions') && !payload.logprobs && !payload.n_probs
  let events = 0
  let bytes = 0
  let least = Number.POSITIVE_INFINITY
  let open = 0 // bytes of an event that is not whole
  let isComment = false
  return {
    get tokens() {
      return onlyText && events > 0 ? Math.max(events, Math.ceil((bytes - events * least) / 4)) : events
    },
    take({ buffer, byteOffset, byteLength }) {
      if (!isEvents) return
      const chunk = Buffer.from(buffer, byteOffset, byteLength)
      let from = 0
      for (let at = chunk.indexOf(eventEnd); at !== -1; at = chunk.indexOf(eventEnd, from)) {
        if (open === 0) isComment = chunk[from] === colon
        const size = open + at + 2 - from
        if (!isComment) {
          events++
          bytes += size
          least = Math.min(least, size)
        }
        open = 0
        from = at + 2
      }
      if (from === byteLength) return
      if (open === 0) isComment = chunk[from] === colon
      open += byteLength - from
    },
  }
}

const eventEnd = '\n\n'
const colon = 58
