import type { MaybePromise } from '../plugin.ts'
import { noRoom, type Room, type RoomRequest } from './server-process.ts'
import { neverFits } from './server-process-errors.ts'

/** A process that takes room, in whatever state, as an eviction policy sees it. */
export interface Running {
  readonly model: string
  readonly state: 'starting' | 'ready' | 'stopping'
  /** Milliseconds since the epoch. */
  readonly lastUsedAt: number
  readonly inFlight: number
  /** What it holds now, as far as it was measured. */
  readonly memoryBytes: number | undefined
}

/** Stop these first (none: start now), wait until something changes, or it will never fit, and why. */
export type Verdict = { readonly evict: readonly string[] } | { readonly wait: true } | { readonly never: string }

/** Says how there can be room for `wanted`. Pure, so tests need no process. Only what is ready and not in use may be evicted. */
export type EvictionPolicy = (wanted: string, running: readonly Running[]) => Verdict

export interface StartRoomOptions {
  readonly policy: EvictionPolicy
  /** Everything that takes room now. */
  readonly running: () => readonly Running[]
  /** Stops a process as soon as nobody uses it; whoever wants it meanwhile has to wait for its next start. */
  readonly evict: (model: string) => MaybePromise<unknown>
  /** So long the first one waits for others to be idle by themselves; then they get no more requests until it had its turn. */
  readonly patienceMs: () => number
}

/** The room of a house: those who want to start stand in a line, and only the first is looked after. */
export interface StartRoom extends Room {
  /** Something has changed. */
  look(): void
  /** From now on it goes by this policy. */
  setPolicy(policy: EvictionPolicy): void
  /** Counts from 1; undefined when it does not stand in the line. */
  positionOf(model: string): number | undefined
  readonly length: number
}

interface Waiting extends RoomRequest {
  settle(error?: unknown): void
  /** Those who were asked to go for it, and have not gone yet. */
  readonly asked: Set<string>
  /** It has been first for too long. */
  impatient: boolean
}

/** An empty line. */
export function createStartRoom({ policy, running, evict, patienceMs }: StartRoomOptions): StartRoom {
  let line: readonly Waiting[] = []
  let looking = false

  /** One step for the first in the line; true when there may be another one to take. */
  const step = (first: Waiting): boolean => {
    const all = running()
    const now = policy(first.model, all)
    if ('evict' in now && now.evict.length === 0) return enter(first)
    if ('never' in now) return leave(first, neverFits(first.model, now.never))
    if (!first.mayEvict()) return leave(first, noRoom)
    const verdict = policy(first.model, withoutLeaving(all))
    if ('never' in verdict) return leave(first, neverFits(first.model, verdict.never))
    if ('evict' in verdict) letGo(first, verdict.evict)
    else if (first.impatient) {
      const sooner = policy(first.model, asIfIdle(all))
      if ('evict' in sooner) letGo(first, sooner.evict)
    }
    return false
  }
  const enter = (first: Waiting): true => {
    first.granted()
    return leave(first)
  }
  const leave = (who: Waiting, error?: unknown): true => {
    line = line.filter(one => one !== who)
    who.settle(error)
    return true
  }
  const letGo = (first: Waiting, models: readonly string[]) => {
    for (const model of models) {
      if (first.asked.has(model)) continue
      first.asked.add(model)
      Promise.resolve(evict(model))
        .catch((error: unknown) => leave(first, error))
        .then(() => {
          first.asked.delete(model)
          look()
        })
    }
  }

  const look = () => {
    if (looking) return // a step changes things, which makes us look again
    looking = true
    try {
      for (let first = line[0]; first && tryStep(first); first = line[0]);
    } finally {
      looking = false
    }
    growImpatient(line[0])
  }
  const tryStep = (first: Waiting): boolean => {
    try {
      return step(first)
    } catch (error) {
      return leave(first, error) // a policy that throws must not hold up the others
    }
  }
  const clocks = new WeakSet<Waiting>()
  const growImpatient = (first: Waiting | undefined) => {
    if (!first || clocks.has(first)) return
    clocks.add(first)
    setTimeout(() => {
      first.impatient = true
      look()
    }, patienceMs()).unref()
  }

  return {
    take(request) {
      if (request.signal.aborted) return Promise.reject(request.signal.reason)
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const giveUp = () => {
        leave(waiting, request.signal.reason)
        look()
      }
      const waiting: Waiting = {
        ...request,
        asked: new Set(),
        impatient: false,
        settle(error) {
          request.signal.removeEventListener('abort', giveUp)
          if (error === undefined) resolve()
          else reject(error)
        },
      }
      request.signal.addEventListener('abort', giveUp, { once: true })
      line = [...line, waiting]
      look()
      return promise
    },
    look,
    setPolicy(next) {
      policy = next
      look()
    },
    positionOf: model => {
      const index = line.findIndex(one => one.model === model)
      return index < 0 ? undefined : index + 1
    },
    get length() {
      return line.length
    },
  }
}

const isDraining = ({ state, inFlight }: Running) => state === 'stopping' && inFlight > 0

/** Who is on the way out needs no help, and nobody has to go instead. Who is still used may take long, and counts as in use. */
const withoutLeaving = (all: readonly Running[]): readonly Running[] =>
  all.flatMap(one => (one.state !== 'stopping' ? [one] : isDraining(one) ? [{ ...one, state: 'ready' as const }] : []))

/** As if nobody was used: then those go who get no more requests from now on. Who does not already, is as good as gone. */
const asIfIdle = (all: readonly Running[]): readonly Running[] =>
  all.flatMap(one => (one.state === 'stopping' ? [] : one.state === 'ready' ? [{ ...one, inFlight: 0 }] : [one]))

/** Who must come to rest so that there is room for `wanted`; none when there is, or never will be. */
export function blockersOf(policy: EvictionPolicy, wanted: string, all: readonly Running[]): readonly string[] {
  const now = policy(wanted, all)
  const verdict = 'wait' in now ? policy(wanted, asIfIdle(all)) : now
  return 'evict' in verdict ? verdict.evict : []
}
