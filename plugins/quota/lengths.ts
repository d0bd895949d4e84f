import type { Context } from 'gatehouse'

type Payload = Context['payload']

/** What a request says of the length and the number of its answers. */
export interface Wishes {
  /** Every field that some server takes for the longest answer, whatever stands in it. */
  readonly lengths: readonly { readonly field: string; readonly value: unknown }[]
  /** Answers to each prompt. */
  readonly answers: number
}

/**
 * Servers take each other's names for the same thing, and differ in which of several they believe. llama-server believes
 * `n_predict` before all others, in every operation, and `n_cmpl` before `n`.
 */
const lengthNames = ['max_completion_tokens', 'max_tokens', 'max_output_tokens', 'n_predict']
const answerNames = ['n', 'best_of', 'n_cmpl']

/** The names that every server of an operation obeys. Operations that are not here make no text. */
const obeyed: Readonly<Record<string, readonly string[]>> = {
  'chat.completions': ['max_tokens', 'max_completion_tokens'],
  completions: ['max_tokens'],
  messages: ['max_tokens'],
  responses: ['max_output_tokens'],
  infill: ['n_predict', 'max_tokens'],
}

/** True for operations whose answers are text. */
export const makesText = (operation: string): boolean => operation in obeyed

/** Reads what a request says of its answers. */
export function readWishes(payload: Payload): Wishes {
  let lengths = noLengths
  let answers = 1
  for (const field in payload) {
    if (!mayMatter(field)) continue
    const value = payload[field]
    if (value === null || value === undefined) continue
    const name = fold(field)
    if (folded.lengths.has(name)) lengths = [...lengths, { field, value }]
    else if (folded.answers.has(name)) answers = Math.max(answers, toCount(value))
  }
  return { lengths, answers }
}

const noLengths: Wishes['lengths'] = []

/** Servers written in Go know a field in any case (`Max_Tokens`), the Kelvin sign and the long s included. */
const fold = (field: string) => field.toLowerCase().toUpperCase()
const folded = { lengths: new Set(lengthNames.map(fold)), answers: new Set(answerNames.map(fold)) }

/** Most fields are told by their length, or by how they begin. */
const mayMatter = (field: string) => isLengthOfName[field.length] === true && isFirst[field.charCodeAt(0) | lowerCase] === true
const lowerCase = 32
const isLengthOfName: boolean[] = []
const isFirst: boolean[] = []
for (const name of [...lengthNames, ...answerNames]) {
  isLengthOfName[name.length] = true
  isFirst[name.charCodeAt(0)] = true
}

/** Some servers read numbers out of texts. */
function toCount(value: unknown): number {
  const count = Math.ceil(Number(value))
  return Number.isFinite(count) && count > 1 ? count : 1
}

/**
 * True for a length that servers agree on. 0 is one where nothing but the prompt can be wanted; in a chat there are servers
 * that take it for none at all.
 */
export const isLength = (value: unknown, operation: string): value is number =>
  Number.isSafeInteger(value) && (value as number) >= (operation === 'completions' || operation === 'infill' ? 0 : 1)

/** True when a field is one that every server of the operation obeys. */
export const isObeyed = (field: string, operation: string): boolean => obeyed[operation]?.includes(field) ?? false

/**
 * The field that holds all servers of these types to a length. OpenAI's newer models refuse `max_tokens`; other servers do not
 * all know the newer name. Undefined when the config strips every name there is.
 */
export function holdingField(operation: string, types: readonly (string | undefined)[], stripped: (field: string) => boolean) {
  const names = obeyed[operation] ?? []
  const inOrder = types.includes('openai') ? names.toReversed() : names
  return inOrder.find(name => !stripped(name))
}
