import type { Store } from 'gatehouse'
import { createCounters } from './counters.ts'
import { createGroups } from './groups.ts'
import type { Epoch } from './value.ts'

/** What was cleared, by any instance, as numbers that all of them share. */
export interface Epochs {
  /** The epoch of a model now; undefined while that is not known. */
  of(model: string): Epoch | undefined
  /** Finds it out. Tells what was cleared since it was known last. False when nobody could be asked. */
  learn(model: string): Promise<boolean>
  /** To be called where something goes on without knowing: when it is known again, it counts as cleared unless the epoch is the old one. */
  missed(model: string): void
  /** Begins another epoch. False when that has to wait until Redis is back. */
  clear(model: string | undefined): Promise<boolean>
  close(): void
}

export interface EpochsOptions {
  readonly store: Store
  readonly now: () => number
  readonly onCleared: (model: string | undefined) => void
}

/** How long nobody asks whether something was cleared, and from when on it is asked in the background. */
const trustMs = 1000
const askAgainMs = trustMs / 2
/** How long a clear that did not get through waits for the next try. */
const retryMs = 1000

const longAgo = Number.NEGATIVE_INFINITY

/** Counts every clear; while it stays the same, no epoch has to be asked for. */
const clears = 'clears'
const all = 'epoch:all'

interface Known {
  readonly value: number
  /** What `clears` was before it was asked for. */
  readonly asOf: number
}

/** Nothing known yet. */
export function createEpochs({ store, now, onCleared }: EpochsOptions): Epochs {
  const groups = createGroups()
  const counters = createCounters(store, now, async name => name === clears || counters.raise(clears))
  const known = new Map<string, Known>()
  const unknownToSomebody = new Set<string>()
  const owed = new Map<string, number>() // clears that did not get through; each has its number
  const running = new Map<string, Promise<unknown>>()
  let seen: { readonly value: number; readonly at: number } | undefined
  let clearings = 0
  let paid = 0
  let closed = false
  let retry: Timer | undefined

  const groupOf = (model: string) => `epoch:${groups.of(model)}`
  const once = <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const promise = (running.get(name) as Promise<T> | undefined) ?? work().finally(() => running.delete(name))
    running.set(name, promise)
    return promise
  }
  const sinceSeen = () => (seen && seen.at <= now() ? now() - seen.at : Number.POSITIVE_INFINITY) // clocks are set back
  const current = (name: string) => {
    const epoch = known.get(name)
    return epoch && epoch.asOf === seen?.value && sinceSeen() < trustMs && owed.size === 0 ? epoch.value : undefined
  }

  const look = () =>
    once(clears, async () => {
      const at = now() // what is cleared from here on may be missing in the answer
      const before = paid
      const value = await counters.read(clears, seen?.value ?? 1)
      if (value !== undefined) seen = { value, at: before === paid ? at : longAgo }
    })
  const ask = (name: string) =>
    once(name, async () => {
      const before = known.get(name)
      const asOf = seen?.value ?? 0
      if (before?.asOf === asOf) return
      const value = await counters.read(name, before?.value ?? 1)
      if (value === undefined) return
      known.set(name, { value, asOf })
      const missed = unknownToSomebody.delete(name)
      if (before ? before.value !== value : missed) tell(name)
    })
  const tell = (name: string) => {
    const models = name === all ? undefined : groups.models(name.slice('epoch:'.length))
    if (!models) return onCleared(undefined)
    for (const model of models) onCleared(model)
  }

  /** Brings the clears that did not get through to Redis, as far as that goes. */
  const pay = () =>
    once('pay', async () => {
      for (const [name, number] of [...owed]) {
        // read before, because one that was lost must not begin anew
        const there = (await counters.read(name, known.get(name)?.value ?? 1)) && (await counters.read(clears, seen?.value ?? 1))
        if (!there || !(await counters.raise(name)) || !(await counters.raise(clears))) return payLater()
        if (owed.get(name) === number) owed.delete(name)
        paid++
        if (seen) seen = { value: seen.value, at: longAgo }
      }
    })
  const payLater = () => {
    clearTimeout(retry)
    if (!closed) retry = setTimeout(pay, retryMs).unref()
  }

  const learn = async (names: readonly string[]) => {
    for (let round = 0; round < 3; round++) {
      if (owed.size > 0) await pay()
      if (sinceSeen() >= trustMs) await look()
      if (owed.size > 0 || sinceSeen() >= trustMs) continue
      await Promise.all(names.map(ask))
      if (names.every(name => current(name) !== undefined)) return true
    }
    return false
  }

  return {
    of(model) {
      const [forAll, models] = [current(all), current(groupOf(model))]
      if (forAll === undefined || models === undefined) return
      if (sinceSeen() >= askAgainMs) void look()
      return { all: forAll, models }
    },
    learn(model) {
      const group = groupOf(model)
      return once(`learn ${group}`, () => learn([all, group]))
    },
    missed(model) {
      for (const name of [all, groupOf(model)]) if (!known.has(name)) unknownToSomebody.add(name)
    },
    async clear(model) {
      const name = model === undefined ? all : groupOf(model)
      const number = ++clearings
      owed.set(name, number)
      await pay()
      if (owed.get(name) === number) await pay() // the first was on its way already
      if (owed.get(name) === number) return false
      await learn([name]) // and not later, when there are new answers already
      return true
    },
    close() {
      closed = true
      clearTimeout(retry)
    },
  }
}
