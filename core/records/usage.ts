import type { MaybePromise } from '../plugin.ts'

/** What is counted. */
export interface UsageCounts {
  readonly requests: number
  /** Requests answered by the cache, and those that failed; both are in `requests` too. */
  readonly cached: number
  readonly errors: number
  readonly promptTokens: number
  readonly completionTokens: number
  /** Sum over the requests. */
  readonly latencyMs: number
  /** Sum of the times to the first token, and of how many requests it is the sum. */
  readonly firstTokenMs: number
  readonly firstTokens: number
}

/** For whom, what and when it is counted. */
export interface UsagePlace {
  /** UTC, as `2026-01-31`. */
  readonly day: string
  /** 0 for callers without a managed key. */
  readonly keyId: number
  /** The name the client asked for. */
  readonly model: string
  /** Who answered: a backend or a process, and behind a `/` the name of the model there. Empty when nobody was asked. */
  readonly target: string
  /** The end user the caller named. Empty when there was none. */
  readonly user: string
}

/** Some requests of one day that have all else in common. */
export type UsageRow = UsagePlace & UsageCounts

/** By what sums are taken apart; `backend` is the part of the target that is common to all its models. */
export type UsageDimension = keyof UsagePlace | 'backend'

/** A sum, with what all its requests have in common: the dimensions that were asked for. */
export type UsageSum = UsageCounts & Partial<UsagePlace & Record<'backend', string>>

export interface UsageQuery {
  /** Both days are in it. */
  readonly from: string
  readonly to: string
  readonly by: readonly UsageDimension[]
  /** Of this key alone. */
  readonly keyId?: number
}

/** What was used, per day, key, model, target and end user. */
export interface UsageRecords {
  /** Adds to what is there, all of it or, when it throws, nothing. Names beyond the limits count under `others`. */
  add(rows: readonly UsageRow[]): MaybePromise<void>
  /** Ordered by the dimensions asked for. Days are read one by one, so that many of them do not hold up requests. */
  query(query: UsageQuery): MaybePromise<readonly UsageSum[]>
}

/** Where names are counted that have no row of their own. */
export const others = '(others)'

/**
 * How many names have rows of their own, per key and day: callers choose them, and each costs about 120 bytes for ever.
 * 1000 users are more than the teams that share one key have, and 0.1 MB a day for somebody who sends a new name each time.
 * Where everything is taken for a model (a default backend), the same goes for models. `rows` is for both together: 1.2 MB.
 */
export const usageLimits = { users: 1000, models: 100, rows: 10_000, userLength: 128, modelLength: 256 } as const

/** The UTC day of a time. */
export const utcDate = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

/** Where a row is counted as far as its names go: long ones are cut, and broken characters replaced. */
export const usagePlaceOf = ({ day, keyId, model, target, user }: UsagePlace): UsagePlace => ({
  day,
  keyId,
  model: cut(model, usageLimits.modelLength),
  target,
  user: cut(user, usageLimits.userLength),
})

const cut = (text: string, length: number) => text.slice(0, length).toWellFormed()
