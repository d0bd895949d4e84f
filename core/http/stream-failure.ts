import { isObject, type JsonObject, parseJson } from './json-object.ts'
import type { SseEvent } from './sse.ts'
import { describeError, presentable, type UpstreamError } from './upstream-error.ts'

/** Why an upstream's stream cannot go on. */
export interface StreamFailure extends UpstreamError {
  /** The HTTP status the upstream had in mind, when it named one. */
  readonly status?: number
}

/** The stream stopped before the model had finished. */
export const endedEarly: StreamFailure = { message: "The model's answer ended early." }

const notJson: StreamFailure = { message: 'The model backend sent something that is not JSON.' }
const notEvents: StreamFailure = { message: 'The model backend sent something that is not an event stream.' }
const unnamed: StreamFailure = { message: 'The model backend reported an error.' }

/** The failure that an event with data stands for: an error in one of the known shapes, or no JSON object at all. */
export function readFailure(json: unknown, { data, event }: SseEvent): StreamFailure | undefined {
  if (isObject(json)) return isError(json) || event === 'error' ? describe(json) : undefined
  return event === 'error' ? saying(data ?? '') : notJson
}

/**
 * The failure in a block without data. Older llama-servers send `error: {…}`, and some frameworks write their
 * JSON error body into the open stream as it is.
 */
export function readLooseFailure({ raw }: SseEvent): StreamFailure | undefined {
  if (raw[0] !== brace && raw[0] !== letterE) return undefined
  const text = decoder.decode(raw).trim()
  if (text.startsWith('error:')) {
    const said = text.slice('error:'.length)
    const json = parseJson(said)
    return isObject(json) ? describe(json) : saying(said)
  }
  if (!text.startsWith('{')) return undefined
  const json = parseJson(text)
  return isObject(json) && isError(json) ? describe(json) : notEvents
}

const brace = 0x7b
const letterE = 0x65
const decoder = new TextDecoder()

/** `{"error": {…}}`, `{"error": "text"}`, or vLLM's bare `{"object": "error", …}`. */
const isError = (json: JsonObject) => Boolean(json.error) || json.object === 'error'

const saying = (text: string): StreamFailure => (text.trim() === '' ? unnamed : { message: presentable(text.trim()) })

function describe(json: JsonObject): StreamFailure {
  const error = isObject(json.error) ? json.error : json
  const status = [error.status, error.status_code, error.code].find(isErrorStatus)
  return { ...(describeError(json) ?? unnamed), ...(status === undefined ? {} : { status }) }
}

const isErrorStatus = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 400 && (value as number) <= 599
