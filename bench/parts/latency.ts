import { openWays } from '../house/ways.ts'
import type { Part, Target } from '../report/part.ts'
import { median } from '../report/stats.ts'
import { show } from '../report/table.ts'
import { type CellResult, measureCell } from './cell.ts'
import { addedBy, noiseOf, type Rounds } from './rounds.ts'

const rounds = { short: 3, usual: 7, long: 7 }
const seconds = { short: 0.2, usual: 1, long: 10 }
const warmUpSeconds = { short: 0.2, usual: 0.4, long: 1 }

const limits = { p50Ms: 0.25, p99Ms: 1.5 }

/**
 * What is asked for, one request after the other, and what gatehouse may add to it. The first event is timed on short
 * streams: when 50 events come without a pause, the first one waits for the processor that handles the others (0.71
 * instead of 0.34 ms added on two cores), and no model sends like that.
 */
const kinds: readonly Kind[] = [
  { name: 'whole answer', prefix: 'whole_', limits },
  { name: 'first event of a stream', prefix: 'stream_', events: 3, limits },
  { name: 'events of a stream', prefix: 'long_stream_', events: 50 },
]

interface Kind {
  readonly name: string
  readonly prefix: string
  readonly events?: number
  readonly limits?: typeof limits
}

/** What gatehouse adds to a request that has the machine for itself. */
export const latency: Part = {
  name: 'latency',
  async run(setting) {
    const { length } = setting
    await using ways = await openWays(setting)
    const cells = []
    for (const { name, limits, ...kind } of kinds) {
      const cell = { ...kind, connections: 1, rounds: rounds[length], seconds: seconds[length], warmUpSeconds: warmUpSeconds[length] }
      const measured = await measureCell(cell, ways.all, ways)
      cells.push({ ...measured, targets: limits ? targetsOf(name, limits, measured.rounds) : [] })
    }
    return {
      tables: cells.map(({ table }) => table),
      notes: cells.flatMap(({ notes }) => notes),
      figures: Object.assign({}, ...cells.map(({ figures }) => figures)),
      targets: cells.flatMap(({ targets }) => targets),
    }
  },
}

/** The noise of the direct way against itself is nobody's fault and does not count. */
function targetsOf(name: string, most: typeof limits, rounds: Rounds<CellResult>): Target[] {
  return (['p50Ms', 'p99Ms'] as const).map(quantile => {
    const added = median(addedBy(rounds, 'gatehouse', result => result[quantile]))
    const noise = noiseOf(rounds, result => result[quantile])
    const parts = [added, noise, added - noise].map(ms => show(ms, 3))
    return {
      what: `${name}, ${quantile.slice(0, 3)}: ${parts[0]} ms added − ${parts[1]} ms noise = ${parts[2]} ms, at most ${most[quantile]}`,
      met: added - noise <= most[quantile],
    }
  })
}
