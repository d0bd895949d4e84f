import { percentile } from '../report/stats.ts'
import { clock } from '../wire/events.ts'
import type { Expected } from './answer-check.ts'
import { createPool } from './pool.ts'
import { requestFor } from './request.ts'
import { createSchedule, type ScheduleOrder } from './schedule.ts'
import { startTicker } from './ticker.ts'

export interface OpenLoopOrder extends Expected, ScheduleOrder {
  readonly url: string
  readonly seconds: number
  /** Requests in this time are sent, but not counted. */
  readonly warmUpSeconds: number
  /** Connections that are open from the beginning, and the most there may be. */
  readonly connections: number
  readonly mostConnections: number
  /** How long after the last departure an answer still counts; 5 seconds when nothing is said. */
  readonly drainSeconds?: number
}

export interface OpenLoopResult {
  /** Requests whose intended time lay in what was measured, and how many of them were answered rightly. */
  readonly scheduled: number
  readonly answered: number
  /** Wrong answers and broken connections. */
  readonly wrong: number
  readonly firstWrong?: string
  /** Requests that had no answer when the drain was over. They count with the time they have waited. */
  readonly unanswered: number
  /** All right answers, those of the warm-up too. */
  readonly total: number
  /** Milliseconds from the intended time to the whole answer, or to the first event of the stream. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  /** How much later than intended the generator itself was, at the median and the 99th percentile. */
  readonly lateP50Ms: number
  readonly lateP99Ms: number
  /** Connections that were open at the end. */
  readonly connections: number
}

/**
 * Requests leave when the schedule says so, whether or not earlier ones have been answered, and their time counts from
 * there: a server that stalls cannot hold back the requests that would have shown it (coordinated omission).
 */
export async function openLoop(order: OpenLoopOrder): Promise<OpenLoopResult> {
  const url = new URL(order.url)
  const request = requestFor(url, order)
  const times: number[] = []
  const late: number[] = []
  let [total, answered, wrong] = [0, 0, 0]
  let firstWrong: string | undefined
  let [beginAt, measureAt, endAt] = [0, 0, 0]

  const pool = await createPool(
    { ...order, url, request },
    {
      answered(intended, at) {
        total++
        if (intended < measureAt) return
        answered++
        times.push(at - intended)
      },
      failed(why) {
        wrong++
        firstWrong ??= why
      },
    },
  )
  beginAt = clock() + 50 // the thread has to be there first
  measureAt = beginAt + order.warmUpSeconds * 1000
  endAt = measureAt + order.seconds * 1000

  const next = createSchedule(order)
  const { promise: allSent, resolve } = Promise.withResolvers<void>()
  let [sent, due] = [0, beginAt + next()]
  const ticker = startTicker({ ...order, beginAt, endAt }, count => {
    for (; sent < count; due = beginAt + next()) {
      let now = clock()
      while (now < due) now = clock() // two threads' clocks may differ by microseconds
      if (due >= measureAt) late.push(now - due)
      sent++
      pool.depart(due)
    }
    if (due >= endAt) resolve()
  })
  if (due >= endAt) resolve()
  await allSent
  ticker.stop()
  const unanswered = (await pool.drain(endAt + (order.drainSeconds ?? 5) * 1000)).filter(intended => intended >= measureAt)
  for (const intended of unanswered) times.push(clock() - intended)

  for (const list of [times, late]) list.sort((a, b) => a - b)
  return {
    scheduled: late.length,
    answered,
    wrong,
    ...(firstWrong !== undefined && { firstWrong }),
    unanswered: unanswered.length,
    total,
    p50Ms: percentile(times, 0.5),
    p99Ms: percentile(times, 0.99),
    p999Ms: percentile(times, 0.999),
    lateP50Ms: percentile(late, 0.5),
    lateP99Ms: percentile(late, 0.99),
    connections: pool.size,
  }
}
