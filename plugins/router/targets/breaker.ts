import type { BreakerSettings } from './breaker-settings.ts'
import type { Pass } from './pass.ts'
import { createPatience } from './patience.ts'
import { createRecentResults } from './recent-results.ts'

/** `probe`: one request may try it. `probing`: one is trying it. `limited`: it has asked to be left alone for a while. */
export type BreakerStatus = 'closed' | 'limited' | 'open' | 'probe' | 'probing'

/** Watches one target: leaves it alone while it fails. */
export interface Breaker {
  readonly status: BreakerStatus
  /** How long it is still left alone, whatever for. */
  readonly restMs: number
  /** A request goes to it, also when it should be left alone: that is for the caller to decide. */
  begin(): Pass
  snapshot(): BreakerSnapshot
}

/** A breaker as the admin API shows it. Times are from now. */
export interface BreakerSnapshot {
  readonly state: 'closed' | 'open' | 'half-open'
  readonly failuresInARow: number
  /** In the window. */
  readonly requests: number
  readonly failed: number
  /** How often it has opened without having been closed for a window in between. */
  readonly openings: number
  readonly openForMs: number
  readonly limitedForMs: number
}

export interface BreakerTools {
  readonly settings: () => BreakerSettings
  readonly now: () => number
  readonly random: () => number
}

/** A pause is up to a fifth longer or shorter, so that not all gateways try a target at the same instant. */
const jitter = 0.2

/** A closed breaker. */
export function createBreaker({ settings, now, random }: BreakerTools): Breaker {
  let { windowMs } = settings()
  let recent = createRecentResults(windowMs, now)
  const patience = createPatience(now)
  let open = false
  let until = 0
  let probeUntil = Number.NEGATIVE_INFINITY
  let inARow = 0
  let openings = 0
  let closedAt = Number.NEGATIVE_INFINITY
  /** Requests that began before it opened or closed say nothing of what came after. */
  let era = 0

  const results = () => {
    if (settings().windowMs !== windowMs) {
      windowMs = settings().windowMs
      recent = createRecentResults(windowMs, now)
    }
    return recent
  }
  const trip = () => {
    const { cooldownMs, maxCooldownMs } = settings()
    openings = !open && now() - closedAt >= windowMs ? 1 : openings + 1
    const pause = Math.min(maxCooldownMs, cooldownMs * 2 ** (openings - 1))
    until = now() + Math.min(maxCooldownMs, pause * (1 - jitter + 2 * jitter * random()))
    probeUntil = Number.NEGATIVE_INFINITY
    open = true
    era++
  }
  const close = () => {
    open = false
    closedAt = now()
    inARow = 0
    recent.clear()
    era++
  }
  const isTooMuch = () => {
    const { enabled, failures, failureRate, minRequests } = settings()
    const { requests, failed } = results().sums()
    return enabled && (inARow >= failures || (requests >= minRequests && failed >= failureRate * requests))
  }
  const status = (): BreakerStatus => {
    if (patience.leftMs > 0) return 'limited'
    if (!open || !settings().enabled) return 'closed'
    if (now() < until) return 'open'
    return now() < probeUntil ? 'probing' : 'probe'
  }

  return {
    get status() {
      return status()
    },
    get restMs() {
      return Math.max(patience.leftMs, open ? until - now() : 0)
    },
    begin() {
      const probes = status() === 'probe'
      // whoever tries it has so long until the next one may
      const mine = now() + settings().cooldownMs
      if (probes) probeUntil = mine
      const begun = era
      let told: 'answered' | 'failed' | 'other' | undefined
      return {
        answered() {
          if (told) return
          told = 'answered'
          patience.answered()
          if (begun !== era) return
          if (open) close()
          inARow = 0
          results().count(1, 0)
        },
        failed() {
          if (told && told !== 'answered') return
          const takeBack = told === 'answered' ? -1 : 0
          told = 'failed'
          if (begun !== era) return
          inARow++
          results().count(takeBack, 1)
          if (open ? probes : isTooMuch()) trip()
        },
        limited(retryAfterMs) {
          if (told) return
          told = 'other'
          patience.asked(retryAfterMs)
          if (open && begun === era) close()
        },
        left() {
          if (told) return
          told = 'other'
          if (probes && begun === era && probeUntil === mine) probeUntil = Number.NEGATIVE_INFINITY
        },
      }
    },
    snapshot() {
      const { requests, failed } = results().sums()
      const openForMs = open ? Math.max(0, until - now()) : 0
      const state = !open || !settings().enabled ? 'closed' : openForMs > 0 ? 'open' : 'half-open'
      return { state, failuresInARow: inARow, requests, failed, openings, openForMs, limitedForMs: patience.leftMs }
    },
  }
}
