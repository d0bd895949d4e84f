import { cacheReport } from '../house/cache-report.ts'
import { peakMb, residentMb } from '../house/proc.ts'
import { openWays, type Way, type Ways } from '../house/ways.ts'
import { context, fromRounds, once } from '../report/figure.ts'
import type { Outcome, Part, Target } from '../report/part.ts'
import { median } from '../report/stats.ts'
import { show, type Table } from '../report/table.ts'
import { type MeasuredCell, measureCell, nginx, ratesToNginx } from './cache/cell.ts'
import { createFreshPrompts, type Row } from './cache/row.ts'

const rounds = { short: 3, usual: 7, long: 7 }
const seconds = { short: 0.5, usual: 2, long: 20 }
const fewerSeconds = { short: 0.3, usual: 1, long: 10 }
const warmUpSeconds = 0.5
const connections = 50
const hitEvents = 200
const recordedEvents = 50

const limits = { ratio: 1.25, firstEventMs: 1 }

/** How the cache answers, and what it costs when it cannot. */
export const cache: Part = {
  name: 'cache',
  async run(setting) {
    const { length } = setting
    // rivals have to cache nothing, so there is nothing to compare
    await using ways = await openWays({ ...setting, rivals: [] }, { cached: true })
    const rows = rowsOf(ways)
    const { way: caching } = rows.hit
    const pid = caching.pid as number
    const idle = residentMb(pid)
    const freshPrompts = createFreshPrompts()
    const measure = (
      prefix: string,
      names: readonly (keyof typeof rows)[],
      order: { readonly connections: number; readonly events?: number },
    ) =>
      measureCell(
        {
          prefix,
          rows: names.flatMap(name => rows[name] ?? []),
          rounds: rounds[length],
          order: { ...order, warmUpSeconds, seconds: (order.events === undefined ? seconds : fewerSeconds)[length] },
        },
        ways.upstream,
        freshPrompts,
      )

    const whole = await measure('', ['direct', 'hit', 'miss', 'joined', 'off', 'nginx'], { connections })
    const alone = await measure('one_stream_', ['direct', 'hit', 'nginx'], { connections: 1, events: hitEvents })
    const streams = await measure('stream_', ['direct', 'hit', 'nginx'], { connections, events: hitEvents })
    const recorded = await measure('recorded_', ['direct', 'miss', 'joined', 'off', 'nginx'], { connections, events: recordedEvents })
    const memory = await memoryOf(caching.url, pid, idle)

    const cells = [whole, alone, streams, recorded]
    const recording = recordingCosts(recorded)
    return {
      tables: [...cells.map(({ table }) => table), memory.table],
      notes: [
        `recording costs ${show(median(recording), 2)} CPU µs per event, the median of the rounds`,
        `joined: of the whole answers ${joinedShare(whole)} joined a call that was under way, of the streams ${joinedShare(recorded)}; one in ${connections} began it, the rest found its answer kept`,
      ],
      figures: {
        ...Object.assign({}, ...cells.map(({ figures }) => figures)),
        recording_cpu_us: fromRounds(recording, 'lower'),
        ...memory.figures,
      },
      targets: targetsOf(whole, alone),
    }
  },
}

/** By name; nginx may be missing. */
function rowsOf({ all }: Ways) {
  const way = (name: string) => all.find(way => way.name === name) as Way
  const caching = way('gatehouse, cached')
  const row = (name: string, way: Way, cache?: Row['cache']): Row => ({ name, way, ...(cache && { cache }) })
  return {
    direct: row('direct', way('direct')),
    hit: row('hit', caching, 'hit'),
    miss: row('miss', caching, 'miss'),
    joined: row('joined', caching, 'joined'),
    off: row('cache off', way('gatehouse')),
    nginx: way(nginx) ? row(nginx, way(nginx)) : undefined,
  }
}

/** What a stream that is kept costs more than one that is only passed on, per event, round by round. */
function recordingCosts({ rounds }: MeasuredCell): number[] {
  const off = rounds.of('cache off')
  return rounds.of('miss').map(({ cpuMicroseconds }, round) => (cpuMicroseconds - (off[round]?.cpuMicroseconds ?? 0)) / recordedEvents)
}

const joinedShare = ({ rounds }: MeasuredCell): string =>
  `${show(median(rounds.of('joined').map(({ joinedShare }) => joinedShare)) * 100, 1)} %`

/** What the cache has left of all that; after a rest, once more. */
async function memoryOf(url: string, pid: number, idle: number): Promise<{ readonly table: Table; readonly figures: Outcome['figures'] }> {
  const after = residentMb(pid)
  await Bun.sleep(2000)
  const [rested, peak] = [residentMb(pid), peakMb(pid)]
  const { entries, bytes } = await cacheReport(url)
  return {
    table: {
      columns: ['resident MB, cache on', 'idle', 'after all this', 'rested', 'peak', 'answers kept', 'MB kept'],
      rows: [['gatehouse', ...[idle, after, rested, peak].map(mb => show(mb, 1)), show(entries), show(bytes / 1e6, 1)]],
    },
    figures: {
      after_mb: once(after, 'lower', { share: 0.1 }),
      peak_mb: once(peak, 'lower', { share: 0.1 }),
      rested_mb: once(rested, 'lower', { share: 0.1 }),
      entries: context(entries),
      kept_mb: context(bytes / 1e6),
    },
  }
}

function targetsOf(whole: MeasuredCell, alone: MeasuredCell): Target[] {
  const ratios = ratesToNginx(whole.rounds, 'hit')
  const ratio = median(ratios)
  const first = median(alone.rounds.of('hit').map(({ p50Ms }) => p50Ms))
  return [
    ...(ratios.length > 0
      ? [{ what: `whole answers: hit ÷ ${nginx} is ${show(ratio, 2)}, at least ${limits.ratio}`, met: ratio >= limits.ratio }]
      : []),
    {
      what: `a hit of ${hitEvents} events begins after ${show(first, 3)} ms at p50, at most ${limits.firstEventMs}`,
      met: first <= limits.firstEventMs,
    },
  ]
}
