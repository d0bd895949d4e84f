import type { Context, Gateway, ResolvedModel } from 'gatehouse'

/** What a request may come to. */
export interface Cost {
  /** An upper bound of its prompt's tokens. */
  readonly prompt: number
  /** The longest of its answers, and how many there are; 0 when the operation makes no text. */
  readonly answer: number
  readonly answers: number
  /** The client said how long an answer may be. */
  readonly explicit: boolean
}

/** Fields in which clients say how long an answer may be, by operation. Operations that are not here make no text. */
const lengthFields: Readonly<Record<string, readonly string[]>> = {
  'chat.completions': ['max_completion_tokens', 'max_tokens'],
  completions: ['max_tokens'],
  messages: ['max_tokens'],
  responses: ['max_output_tokens'],
  infill: ['n_predict', 'max_tokens'],
}

/** The longest answer that is counted on when neither the client nor the config says one. */
export const defaultAnswer = 8192

/** A bound of the whole request, within microseconds. */
export function costOf(ctx: Pick<Context, 'operation' | 'payload'>, model: ResolvedModel | undefined, tokens: Gateway['tokens']): Cost {
  const { operation, payload } = ctx
  const window = model?.contextLength ?? Number.POSITIVE_INFINITY
  const prompt = Math.min(tokens.bound(payload, operation, model), window)
  const fields = lengthFields[operation]
  if (!fields) return { prompt, answer: 0, answers: 0, explicit: true }
  const given = fields.map(field => payload[field]).filter(isCount)
  const most = Math.min(model?.maxOutputTokens ?? Number.POSITIVE_INFINITY, window)
  // of two that are given, servers differ in which they believe
  const answer = given.length > 0 ? Math.min(Math.max(...given), most) : Math.min(most, defaultAnswer)
  return { prompt, answer, answers: answersOf(payload), explicit: given.length > 0 }
}

export const totalOf = ({ prompt, answer, answers }: Cost): number => Math.max(1, prompt + answer * answers)

/** `best_of` answers are made, whatever `n` says. A completion has one answer for each prompt. */
function answersOf({ n, best_of, prompt }: Context['payload']): number {
  const prompts = Array.isArray(prompt) && prompt.length > 0 && typeof prompt[0] !== 'number' ? prompt.length : 1
  return prompts * Math.max(1, isCount(n) ? n : 1, isCount(best_of) ? best_of : 1)
}

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

/**
 * The field that holds a backend to a length. OpenAI's newer models refuse `max_tokens`, other servers do not all know
 * the newer name.
 */
export function lengthField(operation: string, backendType: string | undefined): string {
  if (operation === 'chat.completions' && backendType === 'openai') return 'max_completion_tokens'
  return lengthFields[operation]?.at(-1) ?? 'max_tokens'
}
