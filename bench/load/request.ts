import { rivalKey, streamRequest, wholeRequest } from '../wire/requests.ts'
import type { Expected } from './answer-check.ts'

/** The bytes that ask for what is expected. */
export function requestFor(url: URL, { events, rival }: Expected): Buffer {
  const key = rival ? rivalKey : undefined
  return events === undefined ? wholeRequest(url, key) : streamRequest(url, 0, events, key)
}
