import type { Payload } from 'gatehouse'
import { type Breathe, breather } from './breather.ts'
import { type EmbeddingsAnswer, readAnswer } from './embeddings-answer.ts'
import { addUsage, shareUsage, type UsageReport } from './share-usage.ts'

/** The inputs of a request for embeddings, one or many. Undefined when they cannot be asked for one by one. */
export function inputsOf({ input, ...rest }: Readonly<Payload>): readonly unknown[] | undefined {
  // Lists beside the inputs may belong to them one by one, and with late chunking a vector depends on the other inputs.
  if (Object.values(rest).some(Array.isArray) || rest.late_chunking) return
  if (isText(input) || isTokens(input) || isObject(input)) return [input]
  if (!Array.isArray(input) || input.length === 0) return
  return [isText, isTokens, isObject].some(isKind => input.every(isKind)) ? input : undefined
}

/** The request for one of the inputs alone, always written the same way. */
export const withInput = (payload: Readonly<Payload>, input: unknown): Payload => ({ ...payload, input: [input] })

/**
 * Cuts an answer into one whole answer for each input. The tokens of the batch are shared out among them by their length.
 * Undefined when it is not an answer to these inputs.
 */
export async function split(answer: Uint8Array, inputs: readonly unknown[]): Promise<readonly Uint8Array<ArrayBuffer>[] | undefined> {
  const breathe = breather()
  const read = await readAnswer(answer, inputs.length, breathe)
  if (!read) return
  const usages = read.usage && shareUsage(read.usage, inputs.map(weightOf))
  const pieces: Uint8Array<ArrayBuffer>[] = []
  for (const place of inputs.keys()) {
    pieces.push(Buffer.concat(write(read, [openList, ...itemOf(read, place, 0), closeList], usages?.[place])))
    const pause = breathe()
    if (pause) await pause
  }
  return pieces
}

/**
 * The answer to a batch: for each input the place of its piece. Fields besides `data` and `usage` are those of the first.
 * Undefined when a piece is not the answer to one input.
 */
export async function join(pieces: readonly Uint8Array[], order: readonly number[]): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const breathe = breather()
  const answers: EmbeddingsAnswer[] = []
  for (const piece of pieces) {
    const read = await readAnswer(piece, 1, breathe)
    if (!read) return
    answers.push(read)
    const pause = breathe()
    if (pause) await pause
  }
  const chosen = order.map(place => answers[place] as EmbeddingsAnswer)
  const [first] = chosen
  if (!first) return
  const items = chosen.flatMap((read, index) => [...(index === 0 ? [openList] : [comma]), ...itemOf(read, 0, index)])
  const reports = chosen.map(({ usage }) => usage).filter(usage => usage !== undefined)
  return concat(write(first, [...items, closeList], first.usage && addUsage(reports)), breathe)
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isTokens = (value: unknown): value is readonly number[] => Array.isArray(value) && value.length > 0 && value.every(Number.isInteger)
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value)

/** How much of a batch an input is. Of pictures and the like their size says nothing. */
function weightOf(input: unknown): number {
  if (isText(input)) return Math.max(1, Buffer.byteLength(input))
  return Array.isArray(input) ? input.length : 1
}

const openList = Buffer.from('[')
const closeList = Buffer.from(']')
const comma = Buffer.from(',')

/** An item under another number. */
const itemOf = ({ bytes, items }: EmbeddingsAnswer, place: number, index: number): Buffer[] => {
  const { start, end, index: number } = items[place] as EmbeddingsAnswer['items'][number]
  return [bytes.subarray(start, number.start), Buffer.from(String(index)), bytes.subarray(number.end, end)]
}

/** The text of an answer with other values in it. */
const write = ({ bytes, frame }: EmbeddingsAnswer, data: readonly Buffer[], usage: UsageReport | undefined): Buffer[] =>
  frame.flatMap(part => {
    if (part === 'data') return data
    return part === 'usage' ? [Buffer.from(JSON.stringify(usage))] : [bytes.subarray(part.start, part.end)]
  })

async function concat(parts: readonly Uint8Array[], breathe: Breathe): Promise<Uint8Array<ArrayBuffer>> {
  const whole = Buffer.allocUnsafeSlow(parts.reduce((sum, { length }) => sum + length, 0)) as Uint8Array<ArrayBuffer>
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
    const pause = breathe()
    if (pause) await pause
  }
  return whole
}
