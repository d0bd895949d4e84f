import { join } from 'node:path'
import { readPrivate, writePrivate } from './private-file.ts'

/** One start of gatehouse and, unless it was killed or crashed, when somebody asked it to stop. */
export interface Start {
  /** ISO time. */
  readonly startedAt: string
  readonly stoppedAt?: string
}

/** What the starts before say about how gatehouse ends. */
export interface RunHistory {
  /** Runs that ended without being stopped in the ten minutes before the last start. */
  readonly uncleanEnds: number
  /** From the first of these ends to the last start. */
  readonly withinMs: number
  /** ISO time of the run before; undefined when there was none. */
  readonly lastStartedAt?: string
  readonly lastEndedCleanly?: boolean
}

/** A number of unclean ends that no accident explains. */
const loop = 3
const windowMs = 10 * 60_000
const mostKept = 20
/** A run this long has left the crashes before it behind. */
const steadyMs = 10 * 60_000

const journalOf = (runFolder: string) => join(runFolder, 'starts.json')

/** The last starts, the oldest first. */
export function readStarts(runFolder: string): readonly Start[] {
  const starts = readPrivate(journalOf(runFolder))
  return Array.isArray(starts) ? starts.filter(isStart) : []
}

/** Keeps the last starts. */
export const writeStarts = (runFolder: string, starts: readonly Start[]): void =>
  writePrivate(journalOf(runFolder), starts.slice(-mostKept))

/**
 * Judges the runs before a start. When a run that was not stopped ended is not known; at the latest it was when the
 * next one started.
 */
export function judgeStarts(before: readonly Start[], nextStart: number): RunHistory {
  const ends = before
    .map(({ stoppedAt }, index) => ({ stoppedAt, at: Date.parse(before[index + 1]?.startedAt ?? '') || nextStart }))
    // the clock may have been set back in between
    .filter(({ stoppedAt, at }) => stoppedAt === undefined && at <= nextStart && at >= nextStart - windowMs)
  const last = before.at(-1)
  return {
    uncleanEnds: ends.length,
    withinMs: nextStart - (ends[0]?.at ?? nextStart),
    ...(last && { lastStartedAt: last.startedAt, lastEndedCleanly: last.stoppedAt !== undefined }),
  }
}

/** True when gatehouse ends again and again without being stopped. */
export const isCrashLoop = ({ uncleanEnds }: RunHistory): boolean => uncleanEnds >= loop

/** True once a run has gone on long enough for the ends before it to be history. */
export const isSteady = (startedAt: number, now: number): boolean => now - startedAt > steadyMs

/** What `/health` tells of the runs before this one. */
export interface RunReport {
  /** Null when this is the first run. */
  readonly last_run_ended_cleanly: boolean | null
  readonly unclean_ends: number
  /** False again when this run has gone on for ten minutes. */
  readonly crash_loop: boolean
}

/** The history as it is reported in the middle of a run. */
export const reportHistory = (history: RunHistory, startedAt: number, now: number): RunReport => ({
  last_run_ended_cleanly: history.lastEndedCleanly ?? null,
  unclean_ends: history.uncleanEnds,
  crash_loop: isCrashLoop(history) && !isSteady(startedAt, now),
})

/** What to log at a start; nothing when all is well. */
export function historyLines(history: RunHistory): readonly { readonly level: 'warn' | 'error'; readonly message: string }[] {
  return [
    ...(history.lastEndedCleanly === false ? [{ level: 'warn' as const, message: 'the last run did not end cleanly' }] : []),
    ...(isCrashLoop(history) ? [{ level: 'error' as const, message: crashLoopText(history) }] : []),
  ]
}

/** `crash loop: gatehouse ended 4 times within 2 minutes without being stopped`. */
export function crashLoopText({ uncleanEnds, withinMs }: RunHistory): string {
  const minutes = Math.max(1, Math.ceil(withinMs / 60_000))
  return `crash loop: gatehouse ended ${uncleanEnds} times within ${minutes} minute${minutes === 1 ? '' : 's'} without being stopped`
}

const isStart = (value: unknown): value is Start => {
  const { startedAt, stoppedAt } = (value ?? {}) as Partial<Start>
  return isTime(startedAt) && (stoppedAt === undefined || isTime(stoppedAt))
}

const isTime = (value: unknown) => typeof value === 'string' && !Number.isNaN(Date.parse(value))
