import { completionTokens, promptTokens, randomName } from '../behaviour/numbers.ts'
import type { FinishReason } from '../behaviour/scenario.ts'
import type { ToolCall } from '../behaviour/tool-arguments.ts'
import type { Writer } from '../behaviour/writer.ts'
import { refusal } from './refusal.ts'

/** What a writer needs to know of the request. */
export interface OllamaAnswer {
  readonly model: string
  readonly streaming: boolean
  /** Where text, thinking and tool calls stand: in `message`, or beside it as `/api/generate` has them. */
  readonly form: 'chat' | 'generate'
  /**
   * Models with a chat template of their own bring their calls in the last line, with `done: true` (handleNativeChat);
   * those with a parser in Ollama bring each in a line before it. A client must take both.
   */
  readonly callsInLastLine: boolean
  /** How many alternatives each token's log probability has; undefined without log probabilities. */
  readonly topLogprobs?: number | undefined
}

/**
 * Writes /api/chat and /api/generate as ollama/ollama does (server/routes.go: ChatHandler, GenerateHandler,
 * streamResponse, writeChatResponse; api/types.go: ChatResponse, GenerateResponse).
 */
export function ollamaWriter({ model, streaming, form, callsInLastLine, topLogprobs }: OllamaAnswer): Writer {
  const base = () => ({ model, created_at: new Date().toISOString().replace('Z', '123456Z') })
  const body = (text: string, extra: { thinking?: string; tool_calls?: unknown[] } = {}) =>
    form === 'chat' ? { message: { role: 'assistant', content: text, ...extra } } : { response: text, ...extra }
  const line = (value: unknown) => [`${goMarshal(value)}\n`]
  const chunk = (text: string, extra = {}) => line({ ...base(), ...body(text, extra), done: false })
  const context = form === 'generate' ? { context: [1, 2, 3] } : {}
  let pending: unknown[] = []

  return {
    streaming,
    streamHeaders: { 'content-type': 'application/x-ndjson' },
    wholeHeaders: { 'content-type': 'application/json; charset=utf-8' },
    begin: () => [],
    text: text => line({ ...base(), ...body(text), done: false, ...logprobsOf(text, topLogprobs) }),
    think: thinking => chunk('', { thinking }),
    calls(calls) {
      // The ids of the last line are the runner's own, without `call_`.
      const made = calls.map((call, index) => toolCall(call, index, callsInLastLine ? randomName(32) : `call_${randomName(8)}`))
      if (!callsInLastLine) return made.flatMap(call => chunk('', { tool_calls: [call] }))
      pending = made
      return []
    },
    finish: (reason, tail = '') =>
      line({ ...base(), ...body(tail, pending.length > 0 ? { tool_calls: pending } : {}), ...ending(reason), ...context }),
    fail: () => line({ error: 'boom' }),
    whole({ text, thinking, calls, reason }) {
      const extra = {
        ...(thinking === '' ? {} : { thinking }),
        ...(calls.length === 0 ? {} : { tool_calls: calls.map((call, index) => toolCall(call, index, randomName(32))) }),
      }
      return goMarshal({
        ...base(),
        ...body(text, extra),
        ...(reason === 'none' ? { done: false } : { ...ending(reason), ...context }),
        ...logprobsOf(text, topLogprobs),
      })
    },
    refuse: why => refusal(why, model),
  }
}

function logprobsOf(text: string, top: number | undefined): Record<string, unknown> {
  if (top === undefined) return {}
  const token = { token: text, logprob: -0.5, bytes: [...Buffer.from(text)] }
  return { logprobs: [{ ...token, ...(top > 0 ? { top_logprobs: Array.from({ length: top }, () => token) } : {}) }] }
}

function toolCall(call: ToolCall, index: number, id: string): unknown {
  return { id, function: { index, name: call.name, arguments: call.arguments } }
}

function ending(reason: FinishReason): Record<string, unknown> {
  return {
    done: true,
    // Ollama has no reason of its own for tool calls.
    done_reason: reason === 'length' ? 'length' : 'stop',
    total_duration: 182_242_375,
    load_duration: 41_295_167,
    prompt_eval_count: promptTokens,
    prompt_eval_duration: 24_573_166,
    eval_count: completionTokens,
    eval_duration: 115_959_084,
  }
}

/** JSON as Go writes it, with `<`, `>` and `&` escaped. */
export function goMarshal(value: unknown): string {
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, sign => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
