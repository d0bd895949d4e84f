import type { FinishReason, Refusal } from './scenario.ts'
import type { ToolCall } from './tool-arguments.ts'

/** A whole answer, put together from its steps. */
export interface WholeAnswer {
  readonly text: string
  readonly thinking: string
  readonly calls: readonly ToolCall[]
  readonly reason: FinishReason
}

/** A reply that is sent at once. */
export interface Reply {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** How one server writes one answer: the events of a stream, or the whole of it. */
export interface Writer {
  readonly streaming: boolean
  readonly streamHeaders: Readonly<Record<string, string>>
  readonly wholeHeaders?: Readonly<Record<string, string>>
  /** True when the server closes the connection behind a stream. */
  readonly hangsUp?: boolean
  /** What comes before anything else in a stream. */
  begin(): string[]
  text(text: string): string[]
  think(text: string): string[]
  calls(calls: readonly ToolCall[]): string[]
  /** The end of a stream, with all that the server sends there. */
  finish(reason: FinishReason, tail?: string): string[]
  /** The error that a server sends inside a stream; `cut` when it just lets the connection drop. */
  fail(): string[] | 'cut'
  whole(answer: WholeAnswer): unknown
  refuse(why: Refusal | 'fail'): Reply
}
