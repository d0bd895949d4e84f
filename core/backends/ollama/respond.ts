import { streamHeaders } from '../../http/headers.ts'
import type { Call } from '../backend.ts'
import type { AnswerFrame } from './answer.ts'
import type { OllamaClient } from './client.ts'
import { ignoredHeader } from './fields.ts'
import type { Json } from './values.ts'

/** What the operations of one backend share. */
export interface Kit {
  readonly client: OllamaClient
  /** Unix milliseconds. */
  readonly now: () => number
  readonly newId: () => string
}

/** The id, time and model of a new answer. */
export const newFrame = (prefix: string, { model }: Call, { now, newId }: Kit): AnswerFrame => ({
  id: `${prefix}-${newId()}`,
  created: Math.floor(now() / 1000),
  model,
})

/** A whole answer; the header names what was not passed on. */
export const jsonResponse = (body: Json, ignored: readonly string[]): Response => Response.json(body, { headers: ignoredHeader(ignored) })

/** A streamed answer; the header names what was not passed on. */
export const eventResponse = (body: ReadableStream<Uint8Array>, ignored: readonly string[]): Response =>
  new Response(body, { headers: { ...streamHeaders, ...ignoredHeader(ignored) } })

/** The body of a response; one without a body has an empty one. */
export const bodyOf = (response: Response): ReadableStream<Uint8Array> => response.body ?? new Blob([]).stream()
