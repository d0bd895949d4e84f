import { GatewayError } from '../errors.ts'
import { isObject, type JsonObject, parseJson } from '../http/json-object.ts'
import { longestAnswer, readAtMost } from '../http/limited.ts'
import type { Payload } from '../openai.ts'
import type { OpenAIOptions } from './openai.ts'

/** Asks a server a question beside the model API. */
export type Ask = (path: string, question: object, signal: AbortSignal) => Promise<JsonObject>

/** Makes questions of a backend's options. What is no 200 with a JSON object is a `GatewayError`. */
export function createAsk({ baseUrl, apiKey, headers, upstream }: Pick<OpenAIOptions, 'baseUrl' | 'apiKey' | 'headers' | 'upstream'>): Ask {
  const ours = { 'content-type': 'application/json', ...(apiKey && { authorization: `Bearer ${apiKey}` }), ...headers }
  return async (path, question, signal) => {
    const send = () => upstream(baseUrl + path, { method: 'POST', headers: ours, body: JSON.stringify(question), signal })
    // a kept connection may turn out to be closed
    const response = await send().catch((error: unknown) => {
      if (error instanceof GatewayError && error.extra.neverReached) return send()
      throw error
    })
    if (!response.ok) {
      await response.body?.cancel()
      throw new GatewayError(502, 'server_error', 'bad_gateway', `The model backend returned status ${response.status}`)
    }
    const bytes = await readAtMost(response.body as ReadableStream<Uint8Array> | null, longestAnswer)
    const answer = parseJson(new TextDecoder().decode(bytes))
    if (isObject(answer)) return answer
    throw new GatewayError(502, 'server_error', 'bad_gateway', 'Failed to parse response from the model backend')
  }
}

/** The number in a field of an answer, or the length of a list there. */
export function countIn(answer: JsonObject, field: string): number {
  const value = answer[field]
  if (Array.isArray(value)) return value.length
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value
  throw new GatewayError(502, 'server_error', 'bad_gateway', 'Failed to parse response from the model backend')
}

/** The texts of a prompt or an input, and how many tokens came as numbers; undefined when it is neither. */
export function inputOf({ prompt, input }: Readonly<Payload>): { readonly texts: readonly string[]; readonly ids: number } | undefined {
  const flat = [prompt ?? input].flat(2)
  const texts = flat.filter(item => typeof item === 'string')
  const ids = flat.filter(item => typeof item === 'number').length
  return texts.length + ids === flat.length ? { texts, ids } : undefined
}
