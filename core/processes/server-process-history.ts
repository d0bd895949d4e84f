import { constants } from 'node:os'
import type { Clocks } from './clocks.ts'
import { createEstimate } from './estimate.ts'
import { lastWords } from './last-words.ts'
import type { OutputBuffer } from './output-buffer.ts'
import { createRestarts } from './restarts.ts'
import type { ProcessFailure } from './server-process-errors.ts'
import type { ProcessTimes } from './server-process-spec.ts'
import type { ChildExit } from './spawn-child.ts'

/** What is remembered of the lives of a process: how long it loads, how it ended, and when it may be tried again. */
export interface History {
  readonly restarts: number
  readonly exitCode: number | undefined
  /** When its last life was last used. */
  readonly lastUsedAt: number | undefined
  /** The last failure, until it was ready again. */
  readonly failure: ProcessFailure | undefined
  /** What is left of the pause before the next start. */
  restMs(): number
  /** What is left of the usual time to load after so long; undefined before the first load. */
  etaMs(passedMs: number): number | undefined
  loaded(loadMs: number): void
  used(lastAt: number): void
  ended(exit: ChildExit): void
  /** A start has failed. */
  failed(message: string): ProcessFailure
  /** It has ended by itself. The failure when that happens too often; otherwise it is to be started again. */
  lost(message: string): ProcessFailure | undefined
  /** What has gone wrong does not count any more. */
  forgive(): void
}

/** For the administrator. */
const lastLines = 20

/** Begins with nothing to remember. */
export function createHistory(times: () => ProcessTimes, output: OutputBuffer, { now, steady }: Clocks): History {
  let nextPause = createRestarts(times().restarts, steady)
  let failure: ProcessFailure | undefined
  let notBefore = Number.NEGATIVE_INFINITY
  let restarts = 0
  let exitCode: number | undefined
  let lastUsedAt: number | undefined
  const loadTimes = createEstimate()

  const fail = (message: string, pauseMs: number): ProcessFailure => {
    const words = lastWords(output.lines(), lastLines)
    notBefore = steady() + pauseMs
    const at = now()
    failure = { at, message, lines: words.map(({ text }) => text), retryAt: at + pauseMs }
    return failure
  }
  return {
    get restarts() {
      return restarts
    },
    get exitCode() {
      return exitCode
    },
    get lastUsedAt() {
      return lastUsedAt
    },
    get failure() {
      return failure
    },
    // the two clocks are read one after the other, and one of them has whole milliseconds only
    restMs: () => Math.max(0, Math.floor(notBefore - steady())),
    etaMs: passedMs => loadTimes.value && Math.round(Math.max(0, loadTimes.value - passedMs)),
    loaded(loadMs) {
      loadTimes.add(loadMs)
      failure = undefined
    },
    used(lastAt) {
      lastUsedAt = lastAt
    },
    ended({ code, signal }) {
      exitCode = code ?? 128 + (constants.signals[signal as NodeJS.Signals] ?? 0)
    },
    failed: message => fail(message, nextPause() ?? times().cooldownMs),
    lost(message) {
      restarts++
      const pauseMs = nextPause()
      if (pauseMs === undefined) return fail(`${message}, too often lately`, times().cooldownMs)
      notBefore = steady() + pauseMs
      return undefined
    },
    forgive() {
      nextPause = createRestarts(times().restarts, steady)
      failure = undefined
      notBefore = Number.NEGATIVE_INFINITY
    },
  }
}
