import { percentile } from '../report/stats.ts'
import { createAnswerCheck, type Expected } from './answer-check.ts'
import { connect, type Line } from './connect.ts'
import { type Prompts, requestsFor } from './request.ts'
import { createStep } from './step.ts'

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
  /** Without them, all requests are the same. */
  readonly prompts?: Prompts
  /** All connections ask for the same prompt at once, and for the next when each has its answer. */
  readonly together?: boolean
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
  /** How many of all answers the cache called a MISS, when it is looked at. */
  readonly missed: number
  /** Milliseconds from the request to the whole answer, or to the first event of the stream. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** Milliseconds to the whole answer in either case. */
  readonly endP50Ms: number
  readonly endP99Ms: number
}

/** How much longer it goes on when there is not yet an answer per connection: whoever is slow has a rate too. */
const extensionMs = 5000
/** How long after the end an answer may still come. */
const graceMs = 10_000

/** Every connection sends its next request when the last answer is complete, or when all of them are. */
export async function closedLoop(order: ClosedLoopOrder, onProgress: (total: number) => void): Promise<ClosedLoopResult> {
  const url = new URL(order.url)
  const { connections, seconds = Number.POSITIVE_INFINITY, requests = Number.POSITIVE_INFINITY, warmUpSeconds = 0, reportEvery } = order
  const nextRequest = requestsFor(url, order, order.prompts)
  const times: number[] = []
  const endTimes: number[] = []
  const beginAt = performance.now() + warmUpSeconds * 1000
  const plannedEnd = beginAt + seconds * 1000
  let endAt = plannedEnd
  const { promise: finish, resolve: finished } = Promise.withResolvers<void>()
  let [sent, total, wrong, missed, running] = [0, 0, 0, 0, connections]
  let firstWrong: string | undefined

  const fail = (why: string) => {
    wrong++
    firstWrong ??= why
  }
  const stop = () => {
    if (--running === 0) finished()
    step?.leave()
  }
  const over = (now: number) => now >= plannedEnd && (times.length + wrong >= connections || now >= plannedEnd + extensionMs)
  let request: Buffer | undefined
  /** What is sent next, by one connection or by all together; nothing when it is over. */
  const turn = () => {
    request = sent >= requests || over(performance.now()) ? undefined : nextRequest()
  }
  const step = order.together ? createStep(connections, turn) : undefined
  const run = async () => {
    const check = createAnswerCheck(order)
    let line: Line
    let sentAt = 0
    const next = () => {
      if (step) return step.arrive(ask)
      turn()
      ask()
    }
    const ask = () => {
      if (!request) {
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
          if (check.missed) missed++
          if (fault !== undefined) fail(fault)
          else if (now >= beginAt && !over(now)) {
            times.push((order.events === undefined ? now : check.firstAt) - sentAt)
            endTimes.push(now - sentAt)
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
  for (const list of [times, endTimes]) list.sort((a, b) => a - b)
  return {
    answers: times.length,
    total,
    seconds: measured,
    perSecond: times.length / measured,
    wrong,
    ...(firstWrong !== undefined && { firstWrong }),
    missed,
    p50Ms: percentile(times, 0.5),
    p99Ms: percentile(times, 0.99),
    endP50Ms: percentile(endTimes, 0.5),
    endP99Ms: percentile(endTimes, 0.99),
  }
}
