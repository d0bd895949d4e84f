import type { Strategy as StrategyName } from 'gatehouse'
import type { Affinity } from './affinity.ts'
import { type Attempt, beginAttempt } from './attempt.ts'
import type { BreakerSnapshot, BreakerStatus } from './breaker.ts'
import type { BreakerSettings } from './breaker-settings.ts'
import type { Candidate, Facts, Warmth } from './candidate.ts'
import { createPrefixMemory, type PrefixMemory } from './prefix-memory.ts'
import { strategies } from './strategies.ts'
import { createTargetRecords } from './target-record.ts'

export { type Affinity, affinityOf, affinityOfName, affinityOfPrompt } from './affinity.ts'
export type { Attempt } from './attempt.ts'
export type { BreakerSnapshot } from './breaker.ts'
export type { BreakerSettings } from './breaker-settings.ts'
export type { Candidate, Warmth } from './candidate.ts'

/** What the choice of targets goes by. */
export interface TargetsOptions {
  readonly breaker: BreakerSettings
  /** Left out, all models are loaded. */
  readonly warmthOf?: (id: string) => Warmth
  /** Requests that a target has or will have; left out, those that were begun here. */
  readonly loadOf?: (id: string) => number
  /** For what is remembered of prompts. */
  readonly prefixBytes?: number
  readonly now?: () => number
  readonly random?: () => number
}

/** Where requests may go, and how that went before. */
export interface Targets {
  /** Who may answer, the best one first. */
  choose<T extends Candidate>(question: Question<T>): Choice<T>
  /** Every target that was used. */
  list(): readonly TargetRow[]
  /** Other rules from now on; what is known of targets stays. */
  configure(options: TargetsOptions): void
}

export interface Question<T extends Candidate> {
  readonly strategy: StrategyName
  readonly targets: readonly T[]
  /** What the request shares with others; only asked for by `sticky`. */
  readonly affinity?: () => Affinity | undefined
  /** Only to know: nothing is counted, so that the next request goes where it would have gone. */
  readonly peek?: boolean
}

/** An order of targets for one request. */
export interface Choice<T> {
  /** Empty when all have asked for patience. */
  readonly order: readonly T[]
  /** When the first of those may be asked again that have asked for patience; undefined when none has. */
  readonly limitedMs: number | undefined
  /** Sends the request to one of them. Undefined when that one has to be left alone by now: take the next. The last is never refused. */
  begin(target: T): Attempt | undefined
}

/** A target as the admin API shows it. */
export interface TargetRow {
  readonly id: string
  readonly inFlight: number
  readonly requests: number
  readonly failures: number
  /** The usual time to the first token, lately. */
  readonly firstTokenMs: number | undefined
  readonly breaker: BreakerSnapshot
}

const usualPrefixBytes = 1024 * 1024
const isUsable = (status: BreakerStatus) => status === 'closed' || status === 'probe'

/** Nothing is known of any target. */
export function createTargets(first: TargetsOptions): Targets {
  const { now = performance.now.bind(performance), random = Math.random } = first
  let options = first
  let prefixes: PrefixMemory | undefined
  const records = createTargetRecords({ settings: () => options.breaker, now, random })
  const facts: Facts = {
    load: id => options.loadOf?.(id) ?? records.of(id).inFlight,
    firstTokenMs: id => records.of(id).firstToken.value,
    warmth: id => options.warmthOf?.(id) ?? 'loaded',
    passedOver: id => records.of(id).passedOver,
    remembered: affinity => prefixes?.find(affinity),
    random,
  }

  const statusOf = ({ id }: Candidate) => records.of(id).breaker.status
  /** Those that are left alone only count when no other is left, and those that have asked for it not even then. */
  const allowed = <T extends Candidate>(targets: readonly T[]): readonly T[] => {
    const usable = targets.filter(target => isUsable(statusOf(target)))
    return usable.length > 0 ? usable : targets.filter(target => statusOf(target) !== 'limited')
  }
  const limitedMsOf = (targets: readonly Candidate[]): number | undefined => {
    const limited = targets.filter(target => statusOf(target) === 'limited')
    return limited.length === 0 ? undefined : Math.min(...limited.map(({ id }) => records.of(id).breaker.restMs))
  }

  return {
    choose({ strategy, targets, affinity, peek = false }) {
      const shared = strategy === 'sticky' ? affinity?.() : undefined
      const order = strategies[strategy](allowed(targets), facts, shared)
      if (strategy === 'fastest' && !peek) for (const { id } of order) records.of(id).passedOver++
      if (order[0] && !peek) records.of(order[0].id).passedOver = 0
      let begun = false
      return {
        order,
        limitedMs: limitedMsOf(targets),
        begin(target) {
          const mustTake = !begun && target === order.at(-1)
          if (!mustTake && !isUsable(statusOf(target)) && order.some(other => isUsable(statusOf(other)))) return
          begun = true
          return beginAttempt(records.of(target.id), now, () => {
            if (!shared) return
            prefixes ??= createPrefixMemory(options.prefixBytes ?? usualPrefixBytes)
            prefixes.remember(shared, target.id)
          })
        },
      }
    },
    list: () =>
      [...records.entries()].map(([id, { inFlight, requests, failures, firstToken, breaker }]) => ({
        ...{ id, inFlight, requests, failures, firstTokenMs: firstToken.value, breaker: breaker.snapshot() },
      })),
    configure(next) {
      options = next
    },
  }
}
