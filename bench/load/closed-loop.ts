import { percentile } from '../report/stats.ts'
import { answerBody } from '../wire/answer.ts'
import { wholeRequest } from '../wire/requests.ts'
import { connect, type Line } from './connect.ts'

export interface ClosedLoopOrder {
  readonly url: string
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
  /** Right answers while it was measured, and all of them. */
  readonly answers: number
  readonly total: number
  readonly seconds: number
  readonly perSecond: number
  /** Answers that were not the upstream's bytes with a 200, and connections that broke. */
  readonly wrong: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Every connection sends its next request when the last answer is complete. */
export async function closedLoop(order: ClosedLoopOrder, onProgress: (total: number) => void): Promise<ClosedLoopResult> {
  const url = new URL(order.url)
  const request = wholeRequest(url.host)
  const { connections, seconds = Number.POSITIVE_INFINITY, requests = Number.POSITIVE_INFINITY, warmUpSeconds = 0, reportEvery } = order
  const times: number[] = []
  const beginAt = performance.now() + warmUpSeconds * 1000
  const endAt = beginAt + seconds * 1000
  let [sent, total, wrong, running] = [0, 0, 0, connections]
  let finished = () => {}
  const finish = new Promise<void>(resolve => {
    finished = resolve
  })

  const run = async () => {
    let line: Line
    let sentAt = 0
    let status = 0
    let parts: Buffer[] = []
    const next = () => {
      if (sent >= requests || performance.now() >= endAt) {
        line.end()
        return stop()
      }
      sent++
      sentAt = performance.now()
      line.send(request)
    }
    const stop = () => {
      if (--running === 0) finished()
    }
    line = await connect(url, {
      head: code => {
        status = code
      },
      body: bytes => void parts.push(bytes),
      end() {
        const now = performance.now()
        const right = status === 200 && answerBody.equals(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts))
        parts = []
        total++
        if (!right) wrong++
        else if (now >= beginAt && now < endAt) times.push(now - sentAt)
        if (reportEvery && total % reportEvery === 0) onProgress(total)
        next()
      },
      lost() {
        wrong++
        stop()
      },
    })
    next()
  }
  await Promise.all(Array.from({ length: connections }, run))
  await finish

  const measured = (Math.min(performance.now(), endAt) - beginAt) / 1000
  times.sort((a, b) => a - b)
  return {
    answers: times.length,
    total,
    seconds: measured,
    perSecond: times.length / measured,
    wrong,
    p50Ms: percentile(times, 0.5),
    p99Ms: percentile(times, 0.99),
  }
}
