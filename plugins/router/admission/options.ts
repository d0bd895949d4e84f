import type { Ageing } from './ageing.ts'
import type { Limits } from './entry.ts'
import type { Readiness, SwapBound } from './swaps.ts'

/** What admission goes by. What is a function is asked anew each time, so that changes count at once. */
export interface AdmissionOptions {
  /** Requests that a model takes at a time; Infinity for one that needs no queue. */
  readonly slotsOf: (model: string) => number
  /** Tokens that the requests of a model may have together; left out, or Infinity, as many as they like. One alone always goes. */
  readonly memoryOf?: (model: string) => number
  /** Share of a key. */
  readonly weightOf: (key: string) => number
  readonly limits: Limits
  /** Left out, all models run. */
  readonly readinessOf?: (model: string) => Readiness
  /** Who must come to rest so that a model can be started; none when there is room for it. */
  readonly blockersOf?: (model: string) => readonly string[]
  /** Nobody claims this model any more: it may go, if another one needs its room. */
  readonly onRest?: (model: string) => void
  /** These stay as they were at first. */
  readonly swapBound?: SwapBound
  readonly ageing?: Ageing
  readonly now?: () => number
}
