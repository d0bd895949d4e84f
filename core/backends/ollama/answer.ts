import { GatewayError } from '../../errors.ts'
import { isObject, parseJson } from '../../http/json-object.ts'
import type { Json } from './values.ts'

/** What /api/chat and /api/generate answer, whole or line by line (api/types.go, ChatResponse and GenerateResponse). */
export interface OllamaAnswer {
  /** Of /api/chat. */
  readonly message?: OllamaMessage
  /** The text of /api/generate. */
  readonly response?: string
  /** Of /api/generate. */
  readonly thinking?: string
  readonly done?: boolean
  readonly done_reason?: string
  readonly prompt_eval_count?: number
  readonly eval_count?: number
  readonly logprobs?: readonly OllamaLogprob[] | null
  readonly error?: string
}

/** What the model says in one answer or one line of it. */
export interface OllamaMessage {
  readonly content?: string
  readonly thinking?: string
  readonly tool_calls?: readonly OllamaToolCall[] | null
}

/** A call the model makes; its arguments are an object. */
export interface OllamaToolCall {
  readonly id?: string
  readonly function: { readonly name: string; readonly arguments?: Json }
}

/** A token and how likely it was. */
export interface OllamaLogprob {
  readonly token: string
  readonly logprob: number
  readonly bytes?: readonly number[]
  readonly top_logprobs?: readonly OllamaLogprob[]
}

/** OpenAI's usage. */
export interface OpenAIUsage {
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly total_tokens: number
}

/** What the answers to one request have in common. */
export interface AnswerFrame {
  readonly id: string
  /** Unix seconds. */
  readonly created: number
  readonly model: string
}

/** Token counts; Go leaves a zero out. */
export function usageOf({ prompt_eval_count = 0, eval_count = 0 }: OllamaAnswer): OpenAIUsage {
  return { prompt_tokens: prompt_eval_count, completion_tokens: eval_count, total_tokens: prompt_eval_count + eval_count }
}

/** OpenAI's word for why an answer ended. `load` and `unload` are the answers to an empty prompt. */
export const finishReason = ({ done_reason }: OllamaAnswer): 'stop' | 'length' => (done_reason === 'length' ? 'length' : 'stop')

/** The thinking under both names in use: DeepSeek's, which most clients read, and the one of Ollama's own /v1. */
export const reasoning = (thinking: string | undefined): Json => (thinking ? { reasoning_content: thinking, reasoning: thinking } : {})

/** Parses one whole answer or one line of it; undefined when it is not a JSON object. */
export function parseAnswer(text: string): OllamaAnswer | undefined {
  const answer = parseJson(text)
  return isObject(answer) ? answer : undefined
}

/** The error for an answer that is not finished, which Ollama breaks off when a model only repeats itself. It would do so again. */
export const endedEarly = (): GatewayError => new GatewayError(500, 'server_error', 'bad_gateway', "The model's answer ended early.")

/** The 502 for an answer that is not what Ollama answers; the message is LlamaGate's. */
export const unreadable = (cause?: unknown): GatewayError =>
  new GatewayError(502, 'server_error', 'bad_gateway', 'Failed to parse response from Ollama', { cause })
