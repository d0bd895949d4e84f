import type { MaybePromise } from 'gatehouse'
import type { Answer, KeptAnswer } from './kept.ts'
import type { Limits } from './memory/memory.ts'

/**
 * Where answers are kept beyond this process. Nothing here throws, and nothing holds a request up for long: whatever
 * goes wrong is a miss, and a line in the log.
 */
export interface Shelf {
  readonly name: 'sqlite' | 'redis'
  /**
   * To be awaited before an answer from this process's memory is used: another instance may have cleared since. What was
   * cleared is told to `onCleared` first. False when that cannot be known now: memory may hold what was cleared elsewhere.
   * Almost always synchronous.
   */
  fresh(model: string): MaybePromise<boolean>
  /** The answer with its age, when it is there, whole, and younger than the ttl and `maxAgeMs`. */
  get(key: string, maxAgeMs: number): MaybePromise<KeptAnswer | undefined>
  /** Notes that an answer was used from memory, so that it is not the next to go here. */
  touch(key: string): void
  /**
   * Keeps an answer, written in the background; its bytes must not change any more. One that has an age keeps it. Whatever
   * is put into memory is to be put here too, even if it is too long to be kept.
   */
  set(key: string, answer: Answer | KeptAnswer): void
  /** Drops everything, or all of one model, for all who share the shelf. How many there were, where that is known. */
  clear(model?: string): MaybePromise<number | undefined>
  /** Other limits from now on, also for what is kept already. */
  limit(limits: Limits): void
  /** Resolves when everything that was set is safe, or was given up. */
  flush(): MaybePromise<void>
  /** Writes what waits, and lets go. Whatever is called afterwards does nothing. */
  close(): MaybePromise<void>
}
