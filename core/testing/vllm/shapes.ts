import { randomUUID } from 'node:crypto'
import type { MessagesShape } from '../anthropic/writer.ts'
import { completionTokens, promptTokens } from '../behaviour/numbers.ts'
import type { ChatShape } from '../openai/chat-writer.ts'
import type { Body } from '../openai/endpoint.ts'
import type { ResponsesShape } from '../openai/responses-writer.ts'
import { sse } from '../openai/sse.ts'
import type { TextShape } from '../openai/text-writer.ts'
import { vllmHeaders, vllmMessagesRefusal, vllmRefusal } from './errors.ts'

const counts = { prompt_tokens: promptTokens, total_tokens: promptTokens + completionTokens, completion_tokens: completionTokens }
const wholeUsage = { ...counts, prompt_tokens_details: null, completion_tokens_details: null }
const eventStream = { 'content-type': 'text/event-stream; charset=utf-8', server: 'uvicorn' }
const streamError = { message: 'Internal server error', type: 'InternalServerError', param: null, code: 500 }
const brokenStream = () => [sse({ error: streamError }), sse('[DONE]')]

/** What a stream is asked to tell of its usage. */
export interface StreamUsage {
  readonly atEnd: boolean
  readonly running: boolean
}

const hex = () => randomUUID().replaceAll('-', '')

/** vLLM's chat completions, from vllm/entrypoints/openai/chat_completion/serving.py. */
export function vllmChatShape(model: string, stream: StreamUsage): ChatShape {
  return {
    id: `chatcmpl-${hex()}`,
    model,
    streamHeaders: eventStream,
    wholeHeaders: vllmHeaders,
    chunkFields: () => ({}),
    wholeFields: {
      service_tier: null,
      system_fingerprint: null,
      prompt_logprobs: null,
      prompt_token_ids: null,
      kv_transfer_params: null,
    },
    firstDelta: { role: 'assistant', content: '' },
    lastDelta: { content: '' },
    choiceFields: finished => ({ logprobs: null, ...(finished ? { stop_reason: null } : {}), token_ids: null }),
    // `reasoning_content` before the end of 2025.
    thinkingKey: 'reasoning',
    message: ({ text, thinking }, calls) => ({
      role: 'assistant',
      content: calls.length > 0 && text === '' ? null : text,
      refusal: null,
      annotations: null,
      audio: null,
      function_call: null,
      // The list is there without calls too.
      tool_calls: calls,
      reasoning: thinking === '' ? null : thinking,
    }),
    callId: () => `chatcmpl-tool-${hex().slice(0, 16)}`,
    // The tool parsers send a call's name without arguments.
    firstArguments: undefined,
    usage: stream.atEnd || stream.running ? counts : wholeUsage,
    usageOnChunks: stream.running ? 'running' : 'absent',
    usageAtEnd: stream.atEnd,
    errorEvents: brokenStream,
    refuse: why => vllmRefusal(why, model),
  }
}

/** vLLM's completions, from vllm/entrypoints/openai/completion/serving.py. */
export function vllmTextShape(model: string, stream: StreamUsage): TextShape {
  return {
    id: `cmpl-${hex()}`,
    model,
    streamHeaders: eventStream,
    wholeHeaders: vllmHeaders,
    chunkFields: stream.running ? { usage: counts } : { usage: null },
    wholeFields: { service_tier: null, system_fingerprint: null, kv_transfer_params: null },
    choiceFields: { stop_reason: null, token_ids: null, prompt_token_ids: null },
    usage: stream.atEnd ? counts : wholeUsage,
    usageIn: stream.atEnd ? 'own' : 'nowhere',
    errorEvents: brokenStream,
    refuse: why => vllmRefusal(why, model),
  }
}

/** vLLM's Messages API, from vllm/entrypoints/anthropic/serving.py. */
export function vllmMessagesShape(model: string): MessagesShape {
  const id = `chatcmpl-${hex()}`
  const input = { input_tokens: promptTokens }
  return {
    id,
    model,
    streamHeaders: eventStream,
    wholeHeaders: vllmHeaders,
    // Only fields that were set are sent, so this message has neither type nor role.
    startMessage: { id, content: [], model, stop_reason: null, stop_sequence: null, usage: { ...input, output_tokens: 0 } },
    wholeFields: { usage: { ...input, output_tokens: completionTokens } },
    deltaFields: {},
    deltaUsage: { ...input, output_tokens: completionTokens },
    toolUseFields: { input: {} },
    signature: hex(),
    stopsEachBlock: true,
    // A leftover of the chat stream that it is made from.
    endsWithDone: true,
    callId: () => `chatcmpl-tool-${hex().slice(0, 16)}`,
    errorEvents: () => {
      const error = { type: 'internal_error', message: '1 validation error for ChatCompletionStreamResponse' }
      return [sse({ type: 'error', error }, 'error'), sse('[DONE]')]
    },
    refuse: why => vllmMessagesRefusal(why, model),
  }
}

/** vLLM's Responses API, from vllm/entrypoints/openai/responses/ (protocol.py, serving.py, simple_streaming_events.py). */
export function vllmResponsesShape(body: Body, model: string): ResponsesShape {
  return {
    model,
    streamHeaders: eventStream,
    wholeHeaders: vllmHeaders,
    responseFields: {
      incomplete_details: null,
      instructions: body.instructions ?? null,
      metadata: body.metadata ?? null,
      parallel_tool_calls: body.parallel_tool_calls ?? true,
      temperature: body.temperature ?? 1,
      tool_choice: body.tool_choice ?? 'auto',
      tools: body.tools ?? [],
      top_p: body.top_p ?? 1,
      background: false,
      max_output_tokens: body.max_output_tokens ?? 4085,
      max_tool_calls: null,
      previous_response_id: body.previous_response_id ?? null,
      prompt: null,
      reasoning: body.reasoning ?? null,
      service_tier: 'auto',
      text: body.text ?? null,
      top_logprobs: null,
      truncation: 'disabled',
      user: body.user ?? null,
      input_messages: null,
      output_messages: null,
    },
    usageFields: {
      input_tokens_details: { cached_tokens: 0, input_tokens_per_turn: [], cached_tokens_per_turn: [] },
      output_tokens_details: { reasoning_tokens: 0, tool_output_tokens: 0, output_tokens_per_turn: [], tool_output_tokens_per_turn: [] },
    },
    numbered: true,
    reasoning: 'text',
    cutOff: 'response.completed',
    tellsCutOff: true,
    // The error does not fit the event union it is validated against, so the generator dies with the connection.
    errorEvents: () => 'cut',
    refuse: why => vllmRefusal(why, model),
  }
}
