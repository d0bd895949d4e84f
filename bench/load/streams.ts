import { percentile } from '../report/stats.ts'
import { clock } from '../wire/events.ts'
import { streamRequest } from '../wire/requests.ts'
import { connect } from './connect.ts'
import { createStreamCheck, type StreamCheck } from './stream-check.ts'

export interface StreamsOrder {
  readonly url: string
  readonly streams: number
  readonly events: number
  /** The streams begin evenly over this time, so that their events do not all come at once. */
  readonly rampMs: number
}

export interface StreamsResult {
  readonly events: number
  /** Events that never came, that came late in the order or twice. */
  readonly lost: number
  readonly disordered: number
  /** Streams without exactly one finish reason and one `[DONE]` at the end, or with another status than 200. */
  readonly unfinished: number
  readonly broken: number
  readonly seconds: number
  /** Milliseconds after the upstream meant to send the event, and after it did. */
  readonly lateP50: number
  readonly lateP99: number
  readonly wayP50: number
  readonly wayP99: number
  /** CRC-32 over the events of each stream, by its seed. */
  readonly checksums: Readonly<Record<string, number>>
}

/** Opens many streams at once and checks every event of each. */
export async function streams({ url: address, streams: count, events, rampMs }: StreamsOrder): Promise<StreamsResult> {
  const url = new URL(address)
  const late: number[] = []
  const way: number[] = []
  const checks: StreamCheck[] = []
  let broken = 0
  let firstAt = 0
  let lastAt = 0

  const run = async (seed: number): Promise<void> => {
    await Bun.sleep((seed * rampMs) / count)
    const { promise, resolve } = Promise.withResolvers<void>()
    const check = createStreamCheck(events, mark => {
      const now = clock()
      firstAt ||= now
      lastAt = now
      late.push(now - mark.due)
      way.push(now - mark.sent)
    })
    checks[seed] = check
    const fail = () => {
      broken++
      resolve()
    }
    const line = await connect(url, {
      head: status => void (status !== 200 && fail()),
      body: check.feed,
      end: resolve,
      lost: fail,
    })
    line.send(streamRequest(url, seed, events))
    await promise
    line.end()
  }
  await Promise.all(Array.from({ length: count }, (_, seed) => run(seed)))

  for (const list of [late, way]) list.sort((a, b) => a - b)
  const sum = (pick: (check: StreamCheck) => number) => checks.reduce((total, check) => total + pick(check), 0)
  return {
    events: late.length,
    lost: sum(check => events - check.distinct),
    disordered: sum(check => check.disordered),
    unfinished: sum(check => (check.finished ? 0 : 1)),
    broken,
    seconds: (lastAt - firstAt) / 1000,
    lateP50: percentile(late, 0.5),
    lateP99: percentile(late, 0.99),
    wayP50: percentile(way, 0.5),
    wayP99: percentile(way, 0.99),
    checksums: Object.fromEntries(checks.map((check, seed) => [seed, check.checksum])),
  }
}
