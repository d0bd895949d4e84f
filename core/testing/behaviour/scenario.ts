import type { ToolCall, ToolOffer } from './tool-arguments.ts'

/** A model request without its dialect. */
export interface Asked {
  readonly model: string
  readonly tools: readonly ToolOffer[]
  /** The tool results at the end of the conversation. */
  readonly toolTexts: readonly string[]
  /** The decoded size of each image. */
  readonly imageSizes: readonly number[]
  readonly wantsJson: boolean
  /** False when the request switches thinking off. */
  readonly thinks: boolean
  /** What the server knows of the request besides its messages. */
  readonly parameters: unknown
}

/** Why a server says no before it answers. */
export type Refusal = 'missing' | 'notools' | 'busy' | 'busy-once' | 'down' | 'boom' | 'loading' | 'overflow'

/** Why an answer ends; `none` ends it without a word about it. */
export type FinishReason = 'stop' | 'length' | 'calls' | 'none'

/** One thing a fake does; each dialect has its own way to say it. */
export type Step =
  | { readonly do: 'refuse'; readonly why: Refusal }
  | { readonly do: 'redirect' }
  | { readonly do: 'hold' }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'open' }
  | { readonly do: 'text'; readonly text: string; readonly split?: boolean }
  | { readonly do: 'think'; readonly text: string }
  | { readonly do: 'calls'; readonly calls: readonly ToolCall[] }
  | { readonly do: 'finish'; readonly reason: FinishReason; readonly tail?: string }
  | { readonly do: 'fail' }
  | { readonly do: 'cut' }

/** What a behaviour may know of the fake it runs in. */
export interface Surroundings {
  readonly chunkDelayMs: number
  firstTime(name: string): boolean
  count(): number
}
