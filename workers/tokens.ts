import { GptEncoding } from 'gpt-tokenizer/GptEncoding'
import { cutsOf } from './cut.ts'
import { type Encoding, readRanks } from './ranks.ts'

/** One text, or several that are counted each by itself. A text alone reaches a thread three times faster than a list of one. */
export type Texts = string | readonly string[]

export interface TokenAnswer {
  readonly tokens: number
  /** Some text had to be cut where the tokenizer would not have split it: the count may be a little high. */
  readonly cut: boolean
}

/** The tasks that threads offer, by the names of the encodings. */
export const o200k_base = (texts: Texts): Promise<TokenAnswer> => countTokens(texts, 'o200k_base')
export const cl100k_base = (texts: Texts): Promise<TokenAnswer> => countTokens(texts, 'cl100k_base')

/** Counts with the real tokenizer. What looks like a special token is text: a client wrote it. */
export async function countTokens(texts: Texts, encoding: Encoding): Promise<TokenAnswer> {
  const tokenizer = await open(encoding)
  let [tokens, cut] = [0, false]
  for (const text of typeof texts === 'string' ? [texts] : texts) {
    let from = 0
    for (const { at, forced } of cutsOf(text)) {
      tokens += countPart(tokenizer, text.slice(from, at), forced)
      from = at
      cut ||= forced
    }
    tokens += countPart(tokenizer, from === 0 ? text : text.slice(from), false)
  }
  return { tokens, cut }
}

const asText = { disallowedSpecial: new Set<string>() }

function countPart(tokenizer: GptEncoding, part: string, forced: boolean): number {
  const tokens = tokenizer.countTokens(part, asText)
  litter += part.length * (forced ? 4 : 1)
  if (litter >= mostLitter) clearAway()
  return tokens
}

/**
 * Counting leaves about 50 bytes behind per character, four times as much for pieces that are long; left to itself the
 * heap grows by 200 MB. Clearing takes 20 ms, half of what counting a megabyte takes, and keeps it at 60.
 */
const mostLitter = 1024 * 1024
let litter = 0

function clearAway(): void {
  // the tokenizer remembers words by substrings, and each of those keeps the whole text it was cut from
  for (const tokenizer of opened.values()) tokenizer.clearMergeCache()
  Bun.gc(true)
  litter = 0
}

const opened = new Map<Encoding, GptEncoding>()
const mostRememberedWords = 20_000

async function open(encoding: Encoding): Promise<GptEncoding> {
  const known = opened.get(encoding)
  if (known) return known
  const ranks = await readRanks(encoding)
  const tokenizer = GptEncoding.getEncodingApi(encoding, () => ranks)
  tokenizer.setMergeCacheSize(mostRememberedWords)
  opened.set(encoding, tokenizer)
  clearAway() // what loading leaves behind
  return tokenizer
}
