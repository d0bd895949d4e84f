import type { Answer } from '../../kept.ts'

/** An answer that is not written yet. */
export interface WaitingAnswer {
  readonly answer: Answer
  readonly keptAt: number
}

/** Answers that are to be written, by key. */
export interface Waiting {
  readonly size: number
  /** Of their bodies. */
  readonly bytes: number
  get(key: string): WaitingAnswer | undefined
  /** In the place of one of the same key. */
  add(key: string, waiting: WaitingAnswer): void
  drop(key: string): void
  dropAll(): void
  /** In the order they came; all, or those of one model. */
  keysOf(model?: string): readonly string[]
}

/** None waits yet. */
export function createWaiting(): Waiting {
  const byKey = new Map<string, WaitingAnswer>()
  let bytes = 0

  const drop = (key: string) => {
    bytes -= byKey.get(key)?.answer.body.length ?? 0
    byKey.delete(key)
  }
  return {
    get size() {
      return byKey.size
    },
    get bytes() {
      return bytes
    },
    get: key => byKey.get(key),
    add(key, waiting) {
      drop(key)
      byKey.set(key, waiting)
      bytes += waiting.answer.body.length
    },
    drop,
    dropAll() {
      byKey.clear()
      bytes = 0
    },
    keysOf: model => [...byKey].filter(([, { answer }]) => model === undefined || answer.head.model === model).map(([key]) => key),
  }
}
