import { startGatehouse } from '../house/gatehouse.ts'
import { stalled, streams } from '../house/load.ts'
import { residentMb } from '../house/proc.ts'
import { startUpstream, type UpstreamProcess } from '../house/upstream.ts'
import { context, type Figure, once } from '../report/figure.ts'
import type { Part, Setting } from '../report/part.ts'
import { percentile, sorted } from '../report/stats.ts'
import { show } from '../report/table.ts'

const clientCount = { short: 20, usual: 200, long: 200 }
const holdSeconds = { short: 3, usual: 5, long: 120 }
const secondsToFill = 60
/** The sockets are full when the upstream got rid of less than a thousandth more in so many seconds. */
const quietSeconds = 3

/**
 * How fast the upstream would like to send each stream, and what 200 of them may cost. No runtime setting makes Bun
 * read less than up to 512 KiB from a socket at once: against an upstream that floods, each stream holds one or
 * two such reads. The second is still forty times a fast model's speed, and there the limit is what we answer for.
 */
const upstreams = [
  { name: 'flood', rate: Number.POSITIVE_INFINITY, limitMb: 300 },
  { name: '1 MB/s', rate: 1e6, limitMb: 60 },
]

interface Findings {
  /** Bytes the upstream got rid of, ascending by stream. */
  readonly sent: readonly number[]
  /** Seconds until hardly anything more was sent; undefined when that never came. */
  readonly fullAfter: number | undefined
  /** Bytes of all streams that were sent after that. */
  readonly later: number
  readonly before: number
  readonly peak: number
  readonly settled: number
  /** Upstream streams that were still open after the readers had gone. */
  readonly leftOpen: number
}

/** Clients that ask for an endless stream and never read: the pressure has to reach the upstream. */
export const slowReaders: Part = {
  name: 'slow-readers',
  async run(setting) {
    const clients = clientCount[setting.length]
    const rows: string[][] = []
    const figures: Record<string, Figure> = {}
    const targets = []
    for (const { name, rate, limitMb } of upstreams) {
      const { sent, fullAfter, later, before, peak, settled, leftOpen } = await observe(clients, rate, setting)
      const grown = settled - before
      const megabytes = [total(sent), percentile(sent, 0.5), sent.at(-1) ?? 0].map(bytes => show(bytes / 1e6, 1))
      const full = fullAfter === undefined ? 'never' : `${fullAfter} s`
      rows.push([name, ...megabytes, full, ...[before, peak, settled].map(mb => show(mb, 1)), show(leftOpen)])
      const key = name === 'flood' ? 'flood' : 'paced'
      figures[`${key}_grown_mb`] = once(grown, 'lower', { amount: Math.max(10, grown * 0.2) })
      figures[`${key}_peak_mb`] = once(peak, 'lower', { share: 0.2 })
      figures[`${key}_plateau_median_mb`] = context(percentile(sent, 0.5) / 1e6)
      figures[`${key}_plateau_largest_mb`] = context((sent.at(-1) ?? 0) / 1e6)
      targets.push(
        {
          what: `${name}: all ${clients} streams were open, and closed when their readers left`,
          met: sent.length === clients && leftOpen === 0,
        },
        { what: `${name}: what the upstream sends comes to a halt`, met: fullAfter !== undefined && later < total(sent) / 1000 + 1e6 },
        { what: `${name}: gatehouse holds ${show(grown, 1)} MB more than before, less than ${limitMb}`, met: grown < limitMb },
      )
    }
    const columns = [
      `${clients} readers, MB`,
      'sent',
      'per stream',
      'largest',
      'full after',
      'resident before',
      'peak',
      'settled',
      'left open',
    ]
    return { tables: [{ columns, rows }], figures, targets }
  },
}

async function observe(clients: number, rate: number, { binary, length }: Setting): Promise<Findings> {
  await using upstream = await startUpstream({ rate })
  await using gatehouse = await startGatehouse(binary, upstream.url)
  // as many streams that are read: what is left of them is what streams cost anyway
  await streams({ url: gatehouse.url, streams: clients, events: 40, rampMs: 500 })
  const before = residentMb(gatehouse.pid)
  const readers = await stalled({ url: gatehouse.url, clients })
  const resident: number[] = []
  const watch = async () => {
    await Bun.sleep(1000)
    resident.push(residentMb(gatehouse.pid))
    return sentBytes(upstream)
  }
  const fullAfter = await waitForHalt(watch)
  const full = await sentBytes(upstream)
  for (let second = 0; second < holdSeconds[length]; second++) await watch()
  const sent = sorted((await upstream.report()).endless.map(({ bytes }) => bytes))
  await readers[Symbol.asyncDispose]()
  await Bun.sleep(1000)
  return {
    sent,
    fullAfter,
    later: total(sent) - full,
    before,
    peak: Math.max(...resident),
    settled: resident.at(-1) as number,
    leftOpen: (await upstream.report()).endless.filter(({ open }) => open).length,
  }
}

async function waitForHalt(watch: () => Promise<number>): Promise<number | undefined> {
  const history: number[] = []
  for (let second = 1; second <= secondsToFill; second++) {
    const now = await watch()
    history.push(now)
    const then = history.at(-1 - quietSeconds)
    if (then !== undefined && now > 0 && now - then <= now / 1000) return second - quietSeconds
  }
  return
}

const sentBytes = async (upstream: UpstreamProcess) => total((await upstream.report()).endless.map(({ bytes }) => bytes))

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0)
