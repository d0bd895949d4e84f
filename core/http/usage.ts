import type { Usage } from '../openai.ts'
import { isObject, type JsonObject, parseJson } from './json-object.ts'
import type { StreamObserver } from './observe.ts'
import { defaultMaxBytes } from './pending-bytes.ts'
import { readEvent } from './sse.ts'
import { createBlockReader } from './sse-blocks.ts'

/** What one report says; a figure it does not mention is undefined. */
export interface Figures {
  readonly prompt: number | undefined
  readonly completion: number | undefined
}

/** Adds the tokens that a whole answer reports, in the dialect of OpenAI, Responses, Anthropic or llama-server. */
export function countUsage(total: Usage, json: unknown): void {
  const figures = findFigures(json)
  total.promptTokens += figures?.prompt ?? 0
  total.completionTokens += figures?.completion ?? 0
}

/** Counts the tokens of a stream that is passed through. Only events that speak of usage are decoded. */
export function usageObserver(total: Usage): StreamObserver {
  const blocks = createBlockReader(defaultMaxBytes)
  const report = usageMeter(total)
  let prompt = 0
  let completion = 0

  const take = (block: Uint8Array) => {
    if (!mentionsUsage(block)) return
    const figures = findFigures(parseJson(readEvent(block).data ?? ''))
    // Reports are cumulative, but Anthropic-like servers leave the prompt, or its cached share, out of the later ones.
    prompt = Math.max(prompt, figures?.prompt ?? 0)
    completion = Math.max(completion, figures?.completion ?? 0)
    report({ prompt, completion })
  }
  return {
    chunk(bytes) {
      for (const block of blocks.feed(bytes)) take(block)
    },
    end() {
      const last = blocks.end()
      if (last) take(last)
    },
  }
}

/** Keeps one answer's share of `total` at the figures reported last, however often they are reported. */
export function usageMeter(total: Usage): (figures: Figures) => void {
  let prompt = 0
  let completion = 0
  return figures => {
    total.promptTokens += (figures.prompt ?? prompt) - prompt
    total.completionTokens += (figures.completion ?? completion) - completion
    prompt = figures.prompt ?? prompt
    completion = figures.completion ?? completion
  }
}

/** The figures of a `usage` object. */
export function readFigures(usage: JsonObject): Figures {
  const completion = count(usage.completion_tokens) ?? count(usage.output_tokens)
  const total = count(usage.total_tokens)
  return {
    prompt: count(usage.prompt_tokens) ?? inputTokens(usage) ?? (total === undefined ? undefined : Math.max(0, total - (completion ?? 0))),
    completion,
  }
}

/** Fills in the OpenAI fields a `usage` object lacks; true when it lacked any. */
export function completeUsage(usage: JsonObject): boolean {
  if (isCount(usage.prompt_tokens) && isCount(usage.completion_tokens) && isCount(usage.total_tokens)) return false
  const { prompt = 0, completion = 0 } = readFigures(usage)
  usage.prompt_tokens = prompt
  usage.completion_tokens = completion
  usage.total_tokens = count(usage.total_tokens) ?? prompt + completion
  return true
}

/** In a whole answer, or in an event of Anthropic (`message_start`) or Responses (`response.completed`). */
function findFigures(json: unknown): Figures | undefined {
  if (!isObject(json)) return undefined
  for (const holder of [json, json.response, json.message]) {
    if (isObject(holder) && isObject(holder.usage)) return readFigures(holder.usage)
  }
  // llama-server's own routes, `/infill` among them.
  if (isCount(json.tokens_predicted)) return { prompt: count(json.tokens_evaluated), completion: json.tokens_predicted }
  return undefined
}

/** Anthropic does not count what it read from or wrote to its cache as input; everybody else does. */
function inputTokens(usage: JsonObject): number | undefined {
  const input = count(usage.input_tokens)
  const cached = (count(usage.cache_creation_input_tokens) ?? 0) + (count(usage.cache_read_input_tokens) ?? 0)
  return input === undefined && cached === 0 ? undefined : (input ?? 0) + cached
}

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0
const count = (value: unknown): number | undefined => (isCount(value) ? value : undefined)

const mentionsUsage = (block: Uint8Array) => {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength)
  return bytes.includes('"usage"') || bytes.includes('"tokens_predicted"')
}
