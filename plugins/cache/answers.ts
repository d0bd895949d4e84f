import type { Gateway, MaybePromise } from 'gatehouse'
import { type Counts, noCounts } from './counts.ts'
import type { Answer, Head, KeptAnswer } from './kept.ts'
import { type AnswerMemory, createMemory, type Limits } from './memory/memory.ts'
import type { Recording } from './memory/recording.ts'
import type { Shelf } from './shelf.ts'
import { redisShelf } from './shelves/redis.ts'
import { openSqliteShelf } from './shelves/sqlite.ts'

/** How much is kept, and where beyond this process: in a file, in a store that instances share, or nowhere. */
export interface Settings {
  readonly limits: Limits
  readonly file: string | undefined
  readonly store: Gateway['store'] | undefined
}

/** The answers of the house: in memory and, behind it, on a shelf. Outlives reloads. */
export interface Answers {
  readonly counts: Counts
  readonly memory: Pick<AnswerMemory, 'entries' | 'bytes'>
  readonly shelf: Shelf['name'] | undefined
  /** Grows with each clearing: an answer that was begun before is not kept. */
  readonly clearings: number
  get(key: string, model: string, maxAgeMs: number): MaybePromise<KeptAnswer | undefined>
  set(key: string, answer: Answer): void
  /** For an answer that arrives in parts. */
  record(): Recording
  /** Keeps what was recorded. */
  keep(key: string, recording: Recording, head: Head): void
  /** Drops all answers, or those of one model; how many there were. */
  clear(model: string | undefined): Promise<number>
  /** Other settings from now on, also for what is kept already. */
  settle(settings: Settings): void
  close(): MaybePromise<void>
}

/** Nothing kept yet. */
export function createAnswers(first: Settings, log: Gateway['log']): Answers {
  const counts = noCounts()
  const memory = createMemory(first.limits)
  let settings: Settings = { limits: first.limits, file: undefined, store: undefined }
  let shelf: Shelf | undefined
  let clearings = 0
  let closed = false
  let closing: Promise<void> = Promise.resolve()

  const forget = (model: string | undefined) => {
    clearings++
    return memory.clear(model)
  }
  const openShelf = ({ limits, file, store }: Settings): Shelf | undefined => {
    if (store) return redisShelf({ store, limits, log, onCleared: forget })
    return file === undefined ? undefined : openSqliteShelf({ path: file, limits, log })
  }
  const inMemory = (from: Shelf, key: string, maxAgeMs: number) => {
    const near = memory.get(key, maxAgeMs)
    if (near) from.touch(key)
    return near
  }
  const onShelf = async (from: Shelf, known: MaybePromise<boolean>, key: string, maxAgeMs: number) => {
    // when nobody can be asked, this process's own memory is as good as any
    if (known instanceof Promise) await known
    const near = inMemory(from, key, maxAgeMs)
    if (near) return near
    const far = await from.get(key, maxAgeMs)
    if (far) memory.set(key, far, far.ageMs)
    // somebody may have kept it meanwhile
    return far ?? memory.get(key, maxAgeMs)
  }
  const move = (next: Settings) => {
    const same = next.file === settings.file && next.store === settings.store
    settings = next
    memory.limit(next.limits)
    if (same) return shelf?.limit(next.limits)
    const old = shelf
    shelf = undefined
    if (!old) {
      shelf = openShelf(next)
      return
    }
    // one at a time: a file that is still being closed cannot be opened
    closing = closing
      .then(() => old.close())
      .catch(err => log.warn({ err }, 'the answers kept before could not be closed'))
      .then(() => {
        if (settings === next && !closed) shelf = openShelf(next)
      })
  }
  move(first)

  return {
    counts,
    memory,
    get shelf() {
      return shelf?.name
    },
    get clearings() {
      return clearings
    },
    get(key, model, maxAgeMs) {
      if (!shelf) return memory.get(key, maxAgeMs)
      const known = shelf.fresh(model)
      const near = known instanceof Promise ? undefined : inMemory(shelf, key, maxAgeMs)
      return near ?? onShelf(shelf, known, key, maxAgeMs)
    },
    set(key, answer) {
      memory.set(key, answer)
      shelf?.set(key, answer)
    },
    record: memory.record,
    keep(key, recording, head) {
      const body = shelf && recording.read(0, recording.length)
      recording.keep(key, head)
      if (body) shelf?.set(key, { head, body })
    },
    async clear(model) {
      const near = forget(model)
      return Math.max(near, (await shelf?.clear(model)) ?? 0)
    },
    settle: move,
    async close() {
      closed = true
      await closing
      await shelf?.close()
    },
  }
}
