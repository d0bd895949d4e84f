import type { Context, Gateway, ResolvedModel, Target } from 'gatehouse'
import { isLength, isObeyed, makesText, readWishes } from './lengths.ts'

type Payload = Context['payload']

/** What a request may come to. */
export interface Cost {
  /** An upper bound of its prompt's tokens. */
  readonly prompt: number
  /** The longest of its answers, and how many there are; 0 when the operation makes no text. */
  readonly answer: number
  readonly answers: number
  /** The client or the config said how long an answer may be, for every target. */
  readonly said: boolean
  /** No answer is held to less than this, because somebody said so for some target. */
  readonly least: number
}

/** The longest answer that is counted on when neither the client nor the config says one. */
export const defaultAnswer = 8192

/** A bound of the whole request, within microseconds: of all its targets the dearest counts. */
export function costOf(
  { operation, payload }: Pick<Context, 'operation' | 'payload'>,
  model: ResolvedModel | undefined,
  tokens: Gateway['tokens'],
): Cost {
  const changing = model?.targets.filter(changes) ?? []
  const boundOf = (sent: Payload, fixed: boolean) => boundAt(operation, sent, fixed, model, tokens)
  if (changing.length === 0) return boundOf(payload, false)
  const costs = changing.map(target => boundOf(asSent(payload, target), readWishes(target.set as Payload).lengths.length > 0))
  if (changing.length < (model?.targets.length ?? 0)) costs.push(boundOf(payload, false))
  return costs.reduce((one, other) => ({
    prompt: Math.max(one.prompt, other.prompt),
    answer: Math.max(one.answer, other.answer),
    answers: Math.max(one.answers, other.answers),
    said: one.said && other.said,
    least: Math.max(one.least, other.least),
  }))
}

export const totalOf = ({ prompt, answer, answers }: Cost): number => Math.max(1, prompt + answer * answers)

const changes = ({ set, strip }: Target) => {
  for (const _ in set) return true
  return strip.length > 0
}

/** The request as a target gets it. */
function asSent(payload: Payload, { set, strip }: Target): Payload {
  const sent: Record<string, unknown> = { ...payload, ...set }
  for (const field of strip) delete sent[field]
  return sent as Payload
}

function boundAt(operation: string, payload: Payload, fixed: boolean, model: ResolvedModel | undefined, tokens: Gateway['tokens']): Cost {
  const window = model?.contextLength ?? Number.POSITIVE_INFINITY
  const prompts = promptsOf(operation, payload)
  const prompt = Math.min(tokens.bound(payload, operation, model), window * prompts)
  if (!makesText(operation)) return { prompt, answer: 0, answers: 0, said: true, least: 0 }
  const { lengths, answers } = readWishes(payload)
  let asked = 0 // of several that are given, servers differ in which they believe
  let said = fixed
  for (const { field, value } of lengths) {
    if (!isLength(value, operation)) continue
    asked = Math.max(asked, value)
    said ||= isObeyed(field, operation)
  }
  const most = fixed ? window : Math.min(model?.maxOutputTokens ?? window, window)
  const answer = Math.min(said ? asked : Math.max(asked, defaultAnswer), most)
  return {
    prompt,
    answer,
    answers: operation === 'completions' ? prompts * answers : answers,
    said,
    least: said ? answer : Math.min(1, answer),
  }
}

/** How many prompts there are, each of which may fill the model's context. */
function promptsOf(operation: string, { prompt, input, documents, texts }: Payload): number {
  if (operation === 'completions') return countOf(prompt)
  if (operation === 'embeddings') return countOf(input)
  return operation === 'rerank' ? Math.max(countOf(documents), countOf(texts)) : 1
}

/** A list that begins with a number is one prompt in tokens. */
const countOf = (list: unknown): number => (Array.isArray(list) && list.length > 0 && typeof list[0] !== 'number' ? list.length : 1)
