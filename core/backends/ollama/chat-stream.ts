import { type OllamaAnswer, type OpenAIUsage, reasoning, usageOf } from './answer.ts'
import { type ChatForm, chatFinishReason } from './chat-answer.ts'
import { chatLogprobs } from './logprobs.ts'
import type { Translator } from './stream.ts'
import { toToolCall } from './tool-calls.ts'
import type { Json } from './values.ts'

/** Writes the lines of a streamed /api/chat answer as chat completion chunks. */
export function chatTranslator({ frame, legacy, newId }: ChatForm): Translator {
  let opened = false
  let calls = 0
  let usage: OpenAIUsage | undefined

  const chunk = (choices: readonly unknown[], extra: Json = {}) => ({
    id: frame.id,
    object: 'chat.completion.chunk',
    created: frame.created,
    model: frame.model,
    choices,
    ...extra,
  })
  const deltaChunk = (delta: Json, logprobs: Json | null = null, reason: string | null = null) => {
    const role = opened ? {} : { role: 'assistant' }
    opened = true
    return chunk([{ index: 0, delta: { ...role, ...delta }, logprobs, finish_reason: reason }])
  }
  // One chunk may bring several calls, and several chunks one each; the indexes run through.
  const callDelta = ({ tool_calls }: NonNullable<OllamaAnswer['message']>): Json => {
    const first = calls
    const made = (tool_calls ?? []).map(call => ({ index: calls++, ...toToolCall(call, newId) }))
    if (made.length === 0) return {}
    if (!legacy) return { tool_calls: made }
    return first === 0 ? { function_call: made[0]?.function } : {}
  }

  return {
    line(answer) {
      const { message } = answer
      if (!message) return undefined
      const events: unknown[] = []
      // Thinking goes in a chunk of its own, as from Ollama's own /v1: some clients look at one field per delta only.
      if (message.thinking) events.push(deltaChunk(reasoning(message.thinking)))
      const added = { ...(message.content && { content: message.content }), ...callDelta(message) }
      const logprobs = chatLogprobs(answer.logprobs)
      if (!opened) events.push(deltaChunk({ content: calls > 0 ? null : '', ...added }, logprobs))
      else if (logprobs || Object.keys(added).length > 0) events.push(deltaChunk(added, logprobs))
      if (!answer.done) return events
      usage = usageOf(answer)
      return [...events, deltaChunk({}, null, chatFinishReason(answer, calls > 0, legacy))]
    },
    // Always there: the router withholds it from clients that did not ask.
    end: () => [chunk([], { usage })],
  }
}
