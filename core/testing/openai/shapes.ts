import { randomBytes } from 'node:crypto'
import { completionTokens, promptTokens, randomName } from '../behaviour/numbers.ts'
import type { ChatShape } from './chat-writer.ts'
import type { Body } from './endpoint.ts'
import { openaiRefusal, overloaded } from './errors.ts'
import { openaiHeaders } from './headers.ts'
import type { ResponsesShape } from './responses-writer.ts'
import { sse } from './sse.ts'
import type { TextShape } from './text-writer.ts'

const usage = {
  prompt_tokens: promptTokens,
  completion_tokens: completionTokens,
  total_tokens: promptTokens + completionTokens,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
}
const fingerprint = { service_tier: 'default', system_fingerprint: 'fp_4691090a87' }
const eventStream = 'text/event-stream; charset=utf-8'

/** OpenAI answers under the dated name of a model. */
export function datedModel(model: string): string {
  return /-\d{4}-\d\d-\d\d$/.test(model) ? model : `${model}-2024-08-06`
}

/** OpenAI's chat completions, from openai/openai-node src/resources/chat/completions/completions.ts. */
export function chatShape(model: string, stream: { usage: boolean; obfuscation: boolean }): ChatShape {
  const headers = openaiHeaders()
  return {
    id: `chatcmpl-${randomName(29)}`,
    model: datedModel(model),
    streamHeaders: { 'content-type': eventStream, ...headers },
    wholeHeaders: headers,
    // Padding of a random length, so that an eavesdropper cannot tell tokens by the size of their packets.
    chunkFields: () =>
      stream.obfuscation ? { ...fingerprint, obfuscation: randomName(1 + ((randomBytes(1)[0] ?? 0) % 12)) } : fingerprint,
    wholeFields: fingerprint,
    firstDelta: { role: 'assistant', content: '', refusal: null },
    lastDelta: {},
    choiceFields: () => ({ logprobs: null }),
    // OpenAI does not show thinking in chat completions; this is DeepSeek's name for it, which most others took over.
    thinkingKey: 'reasoning_content',
    message: ({ text, thinking }, calls) => ({
      role: 'assistant',
      content: calls.length > 0 && text === '' ? null : text,
      ...(thinking === '' ? {} : { reasoning_content: thinking }),
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
      refusal: null,
      annotations: [],
    }),
    callId: () => `call_${randomName(24)}`,
    firstArguments: '',
    usage,
    usageOnChunks: stream.usage ? 'null' : 'absent',
    usageAtEnd: stream.usage,
    errorEvents: () => [sse({ error: overloaded })],
    refuse: why => openaiRefusal(why, model),
  }
}

/** OpenAI's older completions, from openai/openai-node src/resources/completions.ts. */
export function textShape(model: string, streamsUsage: boolean): TextShape {
  const headers = openaiHeaders()
  return {
    id: `cmpl-${randomName(29)}`,
    model: datedModel(model),
    streamHeaders: { 'content-type': eventStream, ...headers },
    wholeHeaders: headers,
    chunkFields: streamsUsage ? { usage: null } : {},
    wholeFields: {},
    choiceFields: {},
    usage,
    usageIn: streamsUsage ? 'own' : 'nowhere',
    errorEvents: () => [sse({ error: overloaded })],
    refuse: why => openaiRefusal(why, model),
  }
}

/** OpenAI's Responses API, from openai/openai-node src/resources/responses/responses.ts. */
export function responsesShape(body: Body, model: string): ResponsesShape {
  const headers = openaiHeaders()
  return {
    model: datedModel(model),
    streamHeaders: { 'content-type': eventStream, ...headers },
    wholeHeaders: headers,
    responseFields: {
      background: false,
      error: null,
      incomplete_details: null,
      instructions: body.instructions ?? null,
      max_output_tokens: body.max_output_tokens ?? null,
      max_tool_calls: null,
      parallel_tool_calls: body.parallel_tool_calls ?? true,
      previous_response_id: body.previous_response_id ?? null,
      reasoning: { effort: null, summary: null },
      service_tier: 'default',
      store: body.store ?? true,
      temperature: body.temperature ?? 1,
      text: body.text ?? { format: { type: 'text' } },
      tool_choice: body.tool_choice ?? 'auto',
      tools: body.tools ?? [],
      top_p: body.top_p ?? 1,
      truncation: 'disabled',
      user: null,
      metadata: body.metadata ?? {},
    },
    usageFields: {
      input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
      output_tokens_details: { reasoning_tokens: 0 },
    },
    numbered: true,
    reasoning: 'summary',
    cutOff: 'response.incomplete',
    tellsCutOff: true,
    errorEvents: sequence => [
      sse({ type: 'error', sequence_number: sequence, code: 'server_error', message: overloaded.message, param: null }, 'error'),
    ],
    refuse: why => openaiRefusal(why, model),
  }
}
