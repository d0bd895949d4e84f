import type { MessagesShape } from '../anthropic/writer.ts'
import { completionTokens, nowInSeconds, promptTokens, randomName } from '../behaviour/numbers.ts'
import type { ChatShape } from '../openai/chat-writer.ts'
import type { ResponsesShape } from '../openai/responses-writer.ts'
import { sse } from '../openai/sse.ts'
import type { TextShape } from '../openai/text-writer.ts'
import { llamaHeaders, llamaRefusal } from './errors.ts'

const usage = {
  completion_tokens: completionTokens,
  prompt_tokens: promptTokens,
  total_tokens: promptTokens + completionTokens,
  prompt_tokens_details: { cached_tokens: 0 },
}
const build = { system_fingerprint: 'b9000-0c1e57098' }
// The connection is announced as kept, and closed behind the stream all the same.
const streamHeaders = {
  ...llamaHeaders,
  'content-type': 'text/event-stream',
  'x-accel-buffering': 'no',
  'keep-alive': 'timeout=5, max=100',
}
const streamError = { code: 500, message: 'Compute error.', type: 'server_error' }

/** The timings llama-server adds to its answers (server-common.cpp, server_slot_stats). */
export const timings = {
  cache_n: 0,
  prompt_n: promptTokens,
  prompt_ms: 1.6,
  prompt_per_token_ms: 0.145,
  prompt_per_second: 6875,
  predicted_n: completionTokens,
  predicted_ms: 14,
  predicted_per_token_ms: 2,
  predicted_per_second: 500,
}

/** llama-server's chat completions, from tools/server/server-task.cpp (to_json_oaicompat_chat and its stream). */
export function llamaChatShape(model: string, asked: string, streamsUsage: boolean): ChatShape {
  return {
    id: `chatcmpl-${randomName(32)}`,
    model,
    streamHeaders,
    wholeHeaders: llamaHeaders,
    hangsUp: true,
    chunkFields: () => build,
    wholeFields: { ...build, timings },
    firstDelta: { role: 'assistant', content: null },
    lastDelta: {},
    choiceFields: () => ({}),
    thinkingKey: 'reasoning_content',
    message: ({ text, thinking }, calls) => ({
      role: 'assistant',
      content: text,
      ...(thinking === '' ? {} : { reasoning_content: thinking }),
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
    }),
    callId: () => randomName(32),
    firstArguments: '{',
    usage,
    usageOnChunks: 'absent',
    usageAtEnd: streamsUsage,
    lastChunkFields: { timings },
    errorEvents: () => [sse({ error: streamError })],
    refuse: why => llamaRefusal(why, asked),
  }
}

/** llama-server's completions (to_json_oaicompat): usage in the last chunk, asked for or not. */
export function llamaTextShape(model: string, asked: string): TextShape {
  return {
    id: `chatcmpl-${randomName(32)}`,
    model,
    streamHeaders,
    wholeHeaders: llamaHeaders,
    hangsUp: true,
    chunkFields: build,
    wholeFields: { ...build, timings },
    choiceFields: {},
    usage,
    usageIn: 'finish',
    lastChunkFields: { timings },
    errorEvents: () => [sse({ error: streamError })],
    refuse: why => llamaRefusal(why, asked),
  }
}

/** llama-server's Messages API (to_json_anthropic and its stream): errors stay in its own shape. */
export function llamaMessagesShape(model: string, asked: string): MessagesShape {
  const id = `chatcmpl-${randomName(32)}`
  const input = { cache_read_input_tokens: 0, input_tokens: promptTokens }
  const stop = { stop_sequence: null }
  return {
    id,
    model,
    streamHeaders,
    wholeHeaders: llamaHeaders,
    hangsUp: true,
    startMessage: {
      id,
      type: 'message',
      role: 'assistant',
      content: [],
      model,
      stop_reason: null,
      ...stop,
      usage: { ...input, output_tokens: 0 },
    },
    wholeFields: { ...stop, usage: { ...input, output_tokens: completionTokens } },
    deltaFields: stop,
    deltaUsage: { output_tokens: completionTokens },
    // No `input` in the block that starts a call.
    toolUseFields: {},
    signature: '',
    stopsEachBlock: false,
    endsWithDone: false,
    callId: () => randomName(32),
    errorEvents: () => [sse(streamError, 'error')],
    refuse: why => llamaRefusal(why, asked),
  }
}

/** llama-server's Responses API (to_json_oaicompat_resp and its stream): no numbers on events, and never `incomplete`. */
export function llamaResponsesShape(model: string, asked: string): ResponsesShape {
  return {
    model,
    streamHeaders,
    wholeHeaders: llamaHeaders,
    hangsUp: true,
    responseFields: {},
    wholeFields: { completed_at: nowInSeconds() },
    completedEventFields: { timings },
    usageFields: { input_tokens_details: { cached_tokens: 0 } },
    numbered: false,
    reasoning: 'text',
    cutOff: 'response.completed',
    tellsCutOff: false,
    errorEvents: () => [sse({ error: streamError })],
    refuse: why => llamaRefusal(why, asked),
  }
}
