import type { Refusal } from './refusal.ts'

/** A request that wants a place at a model. */
export interface Request {
  /** Whose turn it is: the API key, or who else shares. */
  readonly key: string
  /** What it is thought to cost, prompt and answer. */
  readonly tokens: number
  readonly model: string
  /** Whoever aborts leaves the queue. */
  readonly signal: AbortSignal
}

/** A place at a model. Whoever has it must release it. */
export interface Ticket {
  readonly state: 'admitted'
  /** How long the request has waited for it. */
  readonly waitedMs: number
  /** The request is over, and has used so many tokens. Only the first call counts. */
  release(usedTokens: number): void
}

/** A request in the queue. */
export interface Waiting {
  readonly state: 'waiting'
  /** The next to go is 1; 0 once it does not wait any more. Live. */
  readonly position: number
  /** The place, or a refusal when it has waited too long. Rejects only with the reason of the signal. */
  readonly ready: Promise<Ticket | Refusal>
}

/** How much waiting there may be. */
export interface Limits {
  readonly maxLength: number
  /** Of the same key. */
  readonly maxPerKey: number
  readonly maxWaitMs: number
}
