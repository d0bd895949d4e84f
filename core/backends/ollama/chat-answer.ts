import { type AnswerFrame, finishReason, type OllamaAnswer, reasoning, unreadable, usageOf } from './answer.ts'
import { chatLogprobs } from './logprobs.ts'
import { toToolCall } from './tool-calls.ts'
import type { Json } from './values.ts'

/** How a chat answer is to be written. */
export interface ChatForm {
  readonly frame: AnswerFrame
  /** The client expects `function_call`, of which there is only one, in place of `tool_calls`. */
  readonly legacy: boolean
  readonly newId: () => string
}

/** A whole /api/chat answer as a chat completion. Throws a 502 when it is not one. */
export function toChatCompletion(answer: OllamaAnswer, { frame, legacy, newId }: ChatForm): Json {
  const { message } = answer
  if (!message) throw unreadable()
  const calls = (message.tool_calls ?? []).map(call => toToolCall(call, newId))
  const written = {
    role: 'assistant',
    content: message.content || (calls.length > 0 ? null : ''),
    refusal: null,
    ...reasoning(message.thinking),
    ...(calls.length > 0 && (legacy ? { function_call: calls[0]?.function } : { tool_calls: calls })),
  }
  const choice = {
    index: 0,
    message: written,
    logprobs: chatLogprobs(answer.logprobs),
    finish_reason: chatFinishReason(answer, calls.length > 0, legacy),
  }
  return { id: frame.id, object: 'chat.completion', created: frame.created, model: frame.model, choices: [choice], usage: usageOf(answer) }
}

/** Ollama has no reason of its own for tool calls. An answer that was cut off stays cut off. */
export function chatFinishReason(answer: OllamaAnswer, called: boolean, legacy: boolean): string {
  const reason = finishReason(answer)
  if (reason !== 'stop' || !called) return reason
  return legacy ? 'function_call' : 'tool_calls'
}
