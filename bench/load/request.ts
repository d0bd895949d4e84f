import { createNumbered, numberedPrompt } from '../wire/numbered.ts'
import { type RequestOptions, rivalKey, streamRequest, wholeRequest } from '../wire/requests.ts'
import type { Expected } from './answer-check.ts'

/** Which of the numbered prompts are asked for. */
export interface Prompts {
  readonly from: number
  /** So many, then from the first again; without it, each is a new one. */
  readonly count?: number
}

/** The bytes that ask for what is expected. */
export function requestFor(url: URL, { events, rival, key }: Expected, { prompt }: Pick<RequestOptions, 'prompt'> = {}): Buffer {
  const options = { key: key ?? (rival ? rivalKey : undefined), prompt }
  return events === undefined ? wholeRequest(url, options) : streamRequest(url, 0, events, options)
}

/** Gives one request after the other, each to be sent before the next is asked for; always the same when no prompts are given. */
export function requestsFor(url: URL, expected: Expected, prompts: Prompts | undefined): () => Buffer {
  if (!prompts) {
    const request = requestFor(url, expected)
    return () => request
  }
  const { from, count = Number.POSITIVE_INFINITY } = prompts
  const numbered = createNumbered(requestFor(url, expected, { prompt: numberedPrompt }))
  let asked = 0
  return () => numbered(from + (asked++ % count))
}
