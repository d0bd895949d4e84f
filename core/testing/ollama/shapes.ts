import type { MessagesShape } from '../anthropic/writer.ts'
import { completionTokens, nowInSeconds, promptTokens, randomName } from '../behaviour/numbers.ts'
import type { Refusal } from '../behaviour/scenario.ts'
import type { Reply } from '../behaviour/writer.ts'
import type { Body } from '../openai/endpoint.ts'
import type { ResponsesShape } from '../openai/responses-writer.ts'
import { refusal } from './refusal.ts'

const streamHeaders = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', connection: 'keep-alive' }
const wholeHeaders = { 'content-type': 'application/json' }
const types: Readonly<Record<number, string>> = { 400: 'invalid_request_error', 404: 'not_found_error' }

/** Ollama's Messages API, from ollama/ollama anthropic/anthropic.go and middleware/anthropic.go. */
export function ollamaMessagesShape(model: string): MessagesShape {
  const id = `msg_${randomName(24)}`
  const usage = { input_tokens: promptTokens, output_tokens: completionTokens }
  return {
    id,
    model,
    streamHeaders,
    wholeHeaders,
    startMessage: { id, type: 'message', role: 'assistant', model, content: [], usage: { ...usage, output_tokens: 0 } },
    wholeFields: { usage },
    deltaFields: {},
    deltaUsage: usage,
    toolUseFields: { input: {} },
    signature: undefined,
    stopsEachBlock: true,
    endsWithDone: false,
    callId: () => randomName(32),
    // Its middleware drops an error inside a stream: the body just ends, without message_stop.
    errorEvents: () => [],
    refuse: why => messagesRefusal(why, model),
  }
}

/** Ollama's Responses API, from ollama/ollama openai/responses.go. */
export function ollamaResponsesShape(body: Body, model: string): ResponsesShape {
  return {
    model,
    streamHeaders,
    wholeHeaders,
    responseFields: {
      completed_at: nowInSeconds(),
      incomplete_details: null,
      previous_response_id: null,
      instructions: body.instructions ?? null,
      error: null,
      tools: body.tools ?? [],
      tool_choice: body.tool_choice ?? 'auto',
      truncation: 'disabled',
      parallel_tool_calls: true,
      text: body.text ?? { format: { type: 'text' } },
      top_p: body.top_p ?? 1,
      presence_penalty: 0,
      frequency_penalty: 0,
      top_logprobs: 0,
      temperature: body.temperature ?? 1,
      reasoning: null,
      max_output_tokens: body.max_output_tokens ?? null,
      max_tool_calls: null,
      store: false,
      background: false,
      service_tier: 'default',
      metadata: {},
      safety_identifier: null,
      prompt_cache_key: null,
    },
    usageFields: { input_tokens_details: { cached_tokens: 0 }, output_tokens_details: { reasoning_tokens: 0 } },
    numbered: true,
    reasoning: 'summary',
    cutOff: 'response.completed',
    tellsCutOff: false,
    errorEvents: () => [],
    refuse: why => openaiForm(refusal(why, model)),
  }
}

/** An Ollama error in OpenAI's form, as its `/v1` routes give it (middleware/openai.go). */
export function openaiForm({ status, body, headers }: Reply): Reply {
  const error = { message: messageOf(body), type: types[status] ?? 'api_error', param: null, code: null }
  return { status, body: { error }, headers: { ...headers, ...wholeHeaders } }
}

function messagesRefusal(why: Refusal | 'fail', model: string): Reply {
  const { status, body, headers } = refusal(why, model)
  const error = { type: types[status] ?? 'api_error', message: messageOf(body) }
  const requestId = `req_${randomName(24)}`
  return { status, body: { type: 'error', error, request_id: requestId }, headers: { ...headers, ...wholeHeaders } }
}

function messageOf(body: unknown): string {
  const { error } = (typeof body === 'string' ? JSON.parse(body) : body) as { error: string }
  return error
}
