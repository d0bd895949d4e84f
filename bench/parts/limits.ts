import { startGatehouse } from '../house/gatehouse.ts'
import { startUpstream } from '../house/upstream.ts'
import type { Way, Ways } from '../house/ways.ts'
import type { Part, Setting } from '../report/part.ts'
import { median } from '../report/stats.ts'
import { show } from '../report/table.ts'
import { type MeasuredCell, measureCell } from './cell.ts'
import { type Rounds, ratiosOf } from './rounds.ts'

const warmUpSeconds = 0.5
const rounds = { short: 3, usual: 7, long: 15 }
const seconds = { short: 0.5, usual: 2, long: 10 }
const fewerSeconds = { short: 0.3, usual: 1, long: 5 }
const [connections, events] = [50, 50]

const goals = { ratio: 0.8, addedMs: 0.3 }
const [limited, unlimited] = ['gatehouse', 'limits off']

/** What it costs that every request is counted, limited and paid for, against a static key with none of that. */
export const limits: Part = {
  name: 'limits',
  async run(setting) {
    await using ways = await openLimitedWays(setting)
    const { length } = setting
    const measure = (prefix: string, connections: number, seconds: number, events?: number) =>
      measureCell(
        { prefix, connections, rounds: rounds[length], warmUpSeconds, seconds, ...(events !== undefined && { events }) },
        ways.all,
        ways,
      )
    const whole = await measure('', connections, seconds[length])
    const streams = await measure('stream_', connections, fewerSeconds[length], events)
    const alone = await measure('alone_', 1, fewerSeconds[length])
    const ratio = median(ratiosOf(whole.rounds, limited, unlimited, ({ perSecond }) => perSecond))
    const added = median(addedMs(alone.rounds))
    const cells = [whole, streams, alone]
    return {
      tables: cells.map(({ table }) => table),
      notes: [...cells.flatMap(({ notes }) => notes), ...cells.map(cpuNote)],
      figures: Object.assign({}, ...cells.map(({ figures }) => figures)),
      targets: [
        {
          what: `whole answers over ${connections} connections: with limits ÷ without is ${show(ratio, 2)}, at least ${goals.ratio}`,
          met: ratio >= goals.ratio,
        },
        {
          what: `one connection: limits add ${show(added, 3)} ms at p50, at most ${show(goals.addedMs, 2)}`,
          met: added <= goals.addedMs,
        },
      ],
    }
  },
}

async function openLimitedWays({ binary, upstreamPort }: Setting): Promise<Ways> {
  await using stack = new AsyncDisposableStack()
  const upstream = stack.use(await startUpstream({ port: upstreamPort, intervalMs: 0 }))
  const start = async (name: string, limits: 'none' | 'all'): Promise<Way> => {
    const { url, pid, key } = stack.use(await startGatehouse(binary, upstream.url, { limits }))
    return { name, url, pid, rival: false, ...(key !== undefined && { key }) }
  }
  const all = [{ name: 'direct', url: upstream.url, rival: false }, await start(unlimited, 'none'), await start(limited, 'all')]
  const started = stack.move()
  return { upstream, all, [Symbol.asyncDispose]: () => started.disposeAsync() }
}

/** Round by round, what limits add to an answer. */
function addedMs({ of }: Rounds<{ readonly p50Ms: number }>): number[] {
  const without = of(unlimited)
  return of(limited).map(({ p50Ms }, round) => p50Ms - (without[round]?.p50Ms ?? 0))
}

/** Rates follow what else the machine does; processor time less so. */
function cpuNote({ rounds, table }: MeasuredCell): string {
  const share = median(ratiosOf(rounds, limited, unlimited, ({ cpuMicroseconds }) => cpuMicroseconds))
  return `${table.columns[0]}: with limits an answer takes ${show(share, 2)} times the processor time`
}
