import { upstream } from '../../http/upstream.ts'
import type { Operation } from '../../openai.ts'
import type { Backend, Call } from '../backend.ts'
import { type OllamaOptions, ollamaBackend } from '../ollama.ts'

/** The adapter with a still clock and ids that count. For tests. */
export function testBackend(baseUrl: string, more: Partial<OllamaOptions> = {}): Backend {
  let ids = 0
  return ollamaBackend({ name: 'home', baseUrl, send: upstream, now: () => 7000, newId: () => `new${++ids}`, ...more })
}

/** A call as the router makes it. For tests. */
export function testCall(operation: Operation, fields: Record<string, unknown>, more: Partial<Call> = {}): Call {
  const payload = { model: 'echo', ...fields }
  return {
    requestId: 'r1',
    operation,
    path: '/v1/test',
    model: payload.model,
    payload,
    headers: {},
    contentType: 'application/json',
    wire: () => new TextEncoder().encode(JSON.stringify(payload)),
    signal: new AbortController().signal,
    ...more,
  }
}

/** A chat call with one message. For tests. */
export const chatCall = (fields: Record<string, unknown>, more: Partial<Call> = {}): Call =>
  testCall('chat.completions', { messages: [{ role: 'user', content: 'hi' }], ...fields }, more)

/** The data of an event stream's events; `[DONE]` stays text. For tests. */
export async function eventsOf(response: Response): Promise<unknown[]> {
  const blocks = (await response.text()).split('\n\n').filter(block => block !== '')
  return blocks.map(block => block.slice('data: '.length)).map(data => (data === '[DONE]' ? data : JSON.parse(data)))
}
