import { closedLoop, openLoop as runOpenLoop } from '../house/load.ts'
import { openWays, type Way, type Ways } from '../house/ways.ts'
import type { OpenLoopResult } from '../load/open-loop.ts'
import { context, type Figure, fromRounds } from '../report/figure.ts'
import type { Outcome, Part, Setting } from '../report/part.ts'
import { median } from '../report/stats.ts'
import { show } from '../report/table.ts'
import { type Costs, withCosts } from './costs.ts'
import { addedBy, inTurn, noiseOf, type Rounds } from './rounds.ts'

const roundCount = { short: 3, usual: 7, long: 7 }
const seconds = { short: 0.3, usual: 1, long: 20 }
const warmUpSeconds = 0.3
/** Shares of what gatehouse does in a closed loop. */
const shares = [0.25, 0.5, 0.75]
/** As many as the closed loop has, and a bound: a way that cannot keep up gets no more than this at once. */
const [connections, mostConnections] = [50, 500]
const kinds: readonly Kind[] = [
  { name: 'whole answers', prefix: 'whole', expected: {} },
  { name: 'streams', prefix: 'stream', expected: { events: 50 } },
]

interface Kind {
  readonly name: string
  readonly prefix: string
  readonly expected: { readonly events?: number }
}

/** All ways at one rate; a way that was left out has no rounds. */
interface Load {
  readonly share: number
  readonly ratePerSecond: number
  readonly rounds: Rounds<Result>
}

type Result = OpenLoopResult & Costs

const quantiles = ['p50Ms', 'p99Ms', 'p999Ms'] as const

/** Latency at a given rate: requests leave when they should, not when the answers let them. */
export const openLoop: Part = {
  name: 'open-loop',
  async run(setting) {
    await using ways = await openWays(setting)
    const outcomes: Outcome[] = []
    for (const kind of kinds) outcomes.push(await measureKind(kind, ways, setting))
    return {
      tables: outcomes.flatMap(({ tables }) => tables),
      notes: outcomes.flatMap(({ notes = [] }) => notes),
      figures: Object.assign({}, ...outcomes.map(({ figures }) => figures)),
      targets: outcomes.flatMap(({ targets }) => targets),
    }
  },
}

async function measureKind(kind: Kind, ways: Ways, { length, arrivals }: Setting): Promise<Outcome> {
  const most = await closedLoopRate(kind, way('gatehouse', ways))
  const rivalRates = new Map<string, number>()
  for (const rival of ways.all.filter(({ rival }) => rival)) rivalRates.set(rival.name, await closedLoopRate(kind, rival))
  const loads: Load[] = []
  for (const share of shares) {
    const order = { arrivals, ratePerSecond: most * share, seconds: seconds[length], warmUpSeconds, connections, mostConnections }
    // what a rival cannot do only piles up, and burdens the others when it is their turn
    const able = ways.all.filter(({ name }) => (rivalRates.get(name) ?? most) >= order.ratePerSecond)
    const rounds = await inTurn(able, roundCount[length], (way, round) =>
      // the same schedule for all ways of a round
      withCosts(way, ways.upstream, () => runOpenLoop({ url: way.url, rival: way.rival, seed: round + 1, ...order, ...kind.expected })),
    )
    loads.push({ share, ratePerSecond: order.ratePerSecond, rounds })
  }
  const own = loads.flatMap(({ rounds }) => rounds.of('gatehouse'))
  const unanswered = sumOf(own, result => result.unanswered)
  const [lateP50, lateP99] = [median(own.map(({ lateP50Ms }) => lateP50Ms)), median(own.map(({ lateP99Ms }) => lateP99Ms))]
  return {
    tables: [
      {
        columns: [`${kind.name}, ${arrivals}`, 'per second', ...tableColumns],
        rows: loads.flatMap(load => rowsOf(load, ways.all)),
      },
    ],
    notes: [
      `100 % is ${show(most)} per second over ${connections} connections in a closed loop; the generator itself was ${show(lateP50, 2)} ms late at the median, ${show(lateP99, 2)} at p99, which every figure includes`,
      ...[...rivalRates]
        .filter(([, rate]) => rate < most * Math.max(...shares))
        .map(([name, rate]) => `${name} does ${show(rate)} per second in a closed loop and is left out of what is more`),
      ...ways.all.flatMap(({ name }) => loads.flatMap(({ rounds }) => rounds.of(name)).find(({ complaint }) => complaint)?.complaint ?? []),
    ],
    figures: Object.assign({}, ...loads.map(load => figuresOf(kind, load))),
    targets: [{ what: `${kind.name}: gatehouse left ${unanswered} requests unanswered, at most 0`, met: unanswered === 0 }],
  }
}

const way = (name: string, { all }: Ways) => all.find(way => way.name === name) as Way

/** Requests per second a way does over 50 connections; the median of three short runs. */
async function closedLoopRate({ expected }: Kind, { url, rival }: Way): Promise<number> {
  const rates = []
  for (let i = 0; i < 3; i++) rates.push((await closedLoop({ url, rival, connections, seconds: 1, warmUpSeconds, ...expected })).perSecond)
  return median(rates)
}

const tableColumns = ['p50 ms', 'p99 ms', 'p99.9 ms', 'added p50', 'added p99', 'added p99.9', 'CPU µs each', 'resident MB', 'unanswered']

function rowsOf({ share, ratePerSecond, rounds }: Load, ways: readonly Way[]): string[][] {
  return ways.map(({ name, pid }) => {
    const all = rounds.of(name)
    if (all.length === 0) return [`${share * 100} %: ${name}`, show(ratePerSecond), ...tableColumns.map(() => '–')]
    const added = quantiles.map(quantile => {
      const pick = (result: Result) => result[quantile]
      return name === 'direct' ? `±${show(noiseOf(rounds, pick), 2)}` : show(median(addedBy(rounds, name, pick)), 2)
    })
    return [
      `${share * 100} %: ${name}`,
      show(ratePerSecond),
      ...quantiles.map(quantile => show(median(all.map(result => result[quantile])), 2)),
      ...added,
      pid === undefined ? '' : show(median(all.map(result => result.cpuMicroseconds)), 1),
      pid === undefined ? '' : show(Math.max(...all.map(result => result.residentMb)), 1),
      show(sumOf(all, result => result.unanswered)),
    ]
  })
}

function figuresOf({ prefix }: Kind, { share, ratePerSecond, rounds }: Load): Record<string, Figure> {
  const named = quantiles.flatMap(quantile => {
    const [key, pick] = [quantile.slice(0, -2), (result: Result) => result[quantile]]
    return [
      [`${key}_ms`, fromRounds(rounds.of('gatehouse').map(pick), 'lower')],
      [`added_${key}_ms`, fromRounds(addedBy(rounds, 'gatehouse', pick), 'lower')],
      [`direct_${key}_ms`, fromRounds(rounds.of('direct').map(pick), 'neither')],
    ] as const
  })
  const figures = [...named, ['rate', context(ratePerSecond)] as const]
  return Object.fromEntries(figures.map(([name, figure]) => [`${prefix}_${share * 100}_${name}`, figure]))
}

const sumOf = (results: readonly Result[], pick: (result: Result) => number) => results.reduce((sum, result) => sum + pick(result), 0)
