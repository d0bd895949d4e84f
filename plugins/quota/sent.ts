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
  let counts = false
  return {
    get tokens() {
      if (!onlyText || events === 0) return events
      return events + Math.max(0, Math.ceil((bytes - events * (least + oneToken)) / 4))
    },
    take({ buffer, byteOffset, byteLength }) {
      if (!isEvents) return
      const chunk = Buffer.from(buffer, byteOffset, byteLength)
      let from = 0
      for (let at = chunk.indexOf(eventEnd); at !== -1; at = chunk.indexOf(eventEnd, from)) {
        if (open === 0) counts = isChunk(chunk, from)
        const size = open + at + 2 - from
        if (counts) {
          events++
          bytes += size
          least = Math.min(least, size)
        }
        open = 0
        from = at + 2
      }
      if (from === byteLength) return
      if (open === 0) counts = isChunk(chunk, from)
      open += byteLength - from
    },
  }
}

const eventEnd = '\n\n'

/** What an event with one token may have beside the shortest event, which has none. */
const oneToken = 16

/** No comment, and not the `[DONE]`: an event in another dialect, or one with JSON. */
const isChunk = (bytes: Buffer, from: number): boolean =>
  bytes[from] === letterE || (bytes[from] === letterD && bytes[from + 6] !== bracket)
const [letterD, letterE, bracket] = [100, 101, 91]
