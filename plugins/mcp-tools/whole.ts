import { isJson } from 'gatehouse'
import { nameOf } from './client-tools.ts'
import { isObject, type JsonObject, objectsIn, parseJson } from './json.ts'
import type { Offer } from './offer.ts'
import { isOurs } from './owner.ts'
import { type CallsOptions, runCalls } from './run-calls.ts'
import { breakBetween } from './text-join.ts'
import type { Turns } from './turns.ts'
import { addUsage } from './usage-sum.ts'

/** What a loop works with. */
export interface LoopOptions {
  readonly turns: Turns
  readonly offer: Offer
  readonly calls: CallsOptions
}

const texts = ['content', 'reasoning', 'reasoning_content'] as const

/** Asks the model until it wants no more tools of ours; one answer, with the text and the usage of all turns. */
export async function wholeLoop(first: Response, { turns, offer, calls }: LoopOptions): Promise<Response> {
  const said: JsonObject = {}
  let usage: JsonObject | undefined
  for (let response = first, again = false; ; response = await turns.ask(), again = true) {
    if (!response.ok || !isJson(response)) return response
    const bytes = (await response.bytes()) as Uint8Array<ArrayBuffer>
    const asIs = () => new Response(bytes, { status: response.status, headers: response.headers })
    if (!again && !mentionsCalls(bytes)) return asIs()
    const answer = parseJson(decoder.decode(bytes))
    const [choice] = isObject(answer) ? objectsIn(answer.choices) : []
    if (!isObject(answer) || !choice || !isObject(choice.message)) return asIs()
    const { message } = choice
    usage = addUsage(usage, answer.usage)
    const made = objectsIn(message.tool_calls)
    const ours = made.filter(call => isOurs(nameOf(call) ?? '', offer))
    if (ours.length === 0 && !again) return asIs()
    if (ours.length < made.length || ours.length === 0 || wasCut(choice)) {
      withTexts(message, said)
      const theirs = made.filter(call => !ours.includes(call))
      if (theirs.length > 0) message.tool_calls = theirs
      else delete message.tool_calls
      const { headers, status } = response
      return new Response(JSON.stringify({ ...answer, ...(usage && { usage }) }), { status, headers })
    }
    for (const name of texts) said[name] = joined(said[name], message[name])
    turns.add(message, ours, await runCalls(ours, calls))
  }
}

const decoder = new TextDecoder()

const mentionsCalls = ({ buffer, byteOffset, byteLength }: Uint8Array) =>
  Buffer.from(buffer, byteOffset, byteLength).includes('"tool_calls"')

/** The last call of a turn that was cut is not whole, and nobody knows what it would have been. */
export const wasCut = ({ finish_reason: reason }: JsonObject) => reason === 'length' || reason === 'content_filter'

/** A stream has what was said between the tools, and so has an answer in one piece. */
function withTexts(message: JsonObject, said: JsonObject): void {
  for (const name of texts) {
    const all = joined(said[name], message[name])
    if (all !== undefined) message[name] = all
  }
}

/** What is said in parts is left alone. */
function joined(before: unknown, after: unknown): unknown {
  if (typeof before !== 'string' || before === '') return after
  if (typeof after !== 'string') return after ?? before
  return before + breakBetween(before, after) + after
}
