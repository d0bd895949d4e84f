import type { Slip } from '../behaviour/slips.ts'
import { sse } from './sse.ts'

type Fields = Readonly<Record<string, unknown>>

interface Call {
  index?: number
  id?: string
  function?: { arguments?: unknown }
}

interface Message {
  role?: string
  content?: string | null
  tool_calls?: Call[]
}

interface Body {
  id: string
  usage?: unknown
  choices: { delta?: Message; message?: Message; finish_reason: string | null }[]
}

let slippedIds = 0

/** Writes chunks as events, with the slip in them. */
export function slippedChunks(slip: Slip | undefined, chunks: readonly Fields[], usage: Fields): string[] {
  if (slip === undefined) return chunks.map(chunk => sse(chunk))
  return chunks.flatMap(chunk => slipChunk(slip, structuredClone(chunk) as unknown as Body, usage))
}

/** A whole answer with the slip in it, where the slip has a meaning there. */
export function slippedWhole(slip: Slip | undefined, answer: Fields): unknown {
  if (slip === undefined) return answer
  const body = structuredClone(answer) as unknown as Body
  for (const choice of body.choices) {
    spoilCalls(slip, choice.message?.tool_calls ?? [])
    if (slip === 'slip-no-finish') choice.finish_reason = null
    if (slip === 'slip-stop-for-tools') choice.finish_reason = 'stop'
    if (slip === 'slip-no-role') delete choice.message?.role
  }
  return body
}

function slipChunk(slip: Slip, body: Body, usage: Fields): string[] {
  for (const choice of body.choices) {
    spoilCalls(slip, choice.delta?.tool_calls ?? [])
    if (slip === 'slip-no-finish') choice.finish_reason = null
    if (slip === 'slip-stop-for-tools' && choice.finish_reason === 'tool_calls') choice.finish_reason = 'stop'
    if (choice.delta) spoilDelta(slip, choice.delta)
  }
  if (slip === 'slip-id') body.id = `chatcmpl-${++slippedIds}`
  if (slip === 'slip-usage-inline') body.usage = usage
  const events = slip === 'slip-two-finish' && body.choices[0]?.finish_reason ? [body, body] : [body]
  if (slip === 'slip-crlf') return events.map(event => `: ping - 2026-08-01\r\n\r\ndata: ${JSON.stringify(event)}\r\n\r\n`)
  return events.map(event => sse(event))
}

function spoilDelta(slip: Slip, delta: Message): void {
  if (slip === 'slip-role') delta.role = 'assistant'
  if (slip === 'slip-no-role') delete delta.role
  if (slip === 'slip-null-content' && !delta.content) delta.content = null
}

function spoilCalls(slip: Slip, calls: Call[]): void {
  for (const call of calls) {
    if (slip === 'slip-no-index') delete call.index
    if (slip === 'slip-no-id') delete call.id
    if (slip === 'slip-args-object' && call.function) call.function.arguments = JSON.parse(String(call.function.arguments))
  }
}
