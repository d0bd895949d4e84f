import { percentile } from '../report/stats.ts'
import { createAnswerCheck, type Expected } from './answer-check.ts'
import { connect, type Line } from './connect.ts'
import { requestFor } from './request.ts'

export interface ClosedLoopOrder extends Expected {
  readonly url: string
  /** 1 sends one request after the other. */
  readonly connections: number
  /** Ends after so many seconds of measuring, or after so many answers. */
  readonly seconds?: number
  readonly requests?: number
  /** Answers in this time are not counted: compilers and caches warm up. */
  readonly warmUpSeconds?: number
  /** Says so each time this many more answers have come. */
  readonly reportEvery?: number
}

export interface ClosedLoopResult {
  /** Right answers while it was measured, and all answers. */
  readonly answers: number
  readonly total: number
  readonly seconds: number
  readonly perSecond: number
  /** Answers that were not the upstream's with a 200, answers that never came, and connections that broke. */
  readonly wrong: number
  /** What was wrong with the first of these. */
  readonly firstWrong?: string
  /** Milliseconds from the request to the whole answer, or to the first event of the stream. */
  readonly p50Ms: number
  readonly p99Ms: number
}

/** How much longer it goes on when there is not yet an answer per connection: whoever is slow has a rate too. */
const extensionMs = 5000
/** How long after the end an answer may still come. */
const graceMs = 10_000

/** Every connection sends its next request when the last answer is complete. */
export async function closedLoop(order: ClosedLoopOrder, onProgress: (total: number) => void): Promise<ClosedLoopResult> {
  const url = new URL(order.url)
  const { connections, seconds = Number.POSITIVE_INFINITY, requests = Number.POSITIVE_INFINITY, warmUpSeconds = 0, reportEvery } = order
  const request = requestFor(url, order)
  const times: number[] = []
  const beginAt = performance.now() + warmUpSeconds * 1000
  const plannedEnd = beginAt + seconds * 1000
  let endAt = plannedEnd
  const { promise: finish, resolve: finished } = Promise.withResolvers<void>()
  let [sent, total, wrong, running] = [0, 0, 0, connections]
  let firstWrong: string | undefined

  const fail = (why: string) => {
    wrong++
    firstWrong ??= why
  }
  const stop = () => {
    if (--running === 0) finished()
  }
  const over = (now: number) => now >= plannedEnd && (times.length >= connections || now >= plannedEnd + extensionMs)
  const run = async () => {
    const check = createAnswerCheck(order)
    let line: Line
    let sentAt = 0
    const next = () => {
      if (sent >= requests || over(performance.now())) {
        line.end()
        return stop()
      }
      sent++
      sentAt = performance.now()
      line.send(request)
    }
    try {
      line = await connect(url, {
        head: check.head,
        body: check.body,
        end() {
          const now = performance.now()
          const fault = check.fault()
          total++
          if (fault !== undefined) fail(fault)
          else if (now >= beginAt && !over(now)) {
            times.push((order.events === undefined ? now : check.firstAt) - sentAt)
            endAt = Math.max(plannedEnd, now)
          }
          if (reportEvery && total % reportEvery === 0) onProgress(total)
          next()
        },
        lost(why) {
          fail(why)
          if (!over(performance.now()) && sent < requests) void run()
          else stop()
        },
      })
      next()
    } catch (error) {
      fail(`no connection: ${error instanceof Error ? error.message : error}`)
      stop()
    }
  }
  for (let i = 0; i < connections; i++) void run()
  const giveUp = Number.isFinite(plannedEnd) ? setTimeout(finished, plannedEnd - performance.now() + extensionMs + graceMs) : undefined
  await finish
  clearTimeout(giveUp)
  if (running > 0) fail(`no answer ${graceMs / 1000} s after the end`)

  const measured = (Math.min(performance.now(), endAt) - beginAt) / 1000
  times.sort((a, b) => a - b)
  return {
    answers: times.length,
    total,
    seconds: measured,
    perSecond: times.length / measured,
    wrong,
    ...(firstWrong !== undefined && { firstWrong }),
    p50Ms: percentile(times, 0.5),
    p99Ms: percentile(times, 0.99),
  }
}
