import { closedLoop } from '../house/load.ts'
import type { Way, Ways } from '../house/ways.ts'
import type { ClosedLoopResult } from '../load/closed-loop.ts'
import { context, type Figure, fromRounds } from '../report/figure.ts'
import { median, spread } from '../report/stats.ts'
import { show, type Table } from '../report/table.ts'
import { type Costs, withCosts } from './costs.ts'
import { addedBy, inTurn, noiseOf, type Rounds, ratiosOf } from './rounds.ts'

/** So many connections that each ask for whole answers or streams, as fast as the answers come. */
export interface Cell {
  readonly connections: number
  /** Events per stream; without it, whole answers are asked for. */
  readonly events?: number
  readonly rounds: number
  readonly seconds: number
  readonly warmUpSeconds: number
  /** What the names of its figures begin with. */
  readonly prefix: string
}

/** One way in one round. */
export type CellResult = ClosedLoopResult & Costs

export interface MeasuredCell {
  readonly rounds: Rounds<CellResult>
  readonly table: Table
  readonly notes: readonly string[]
  readonly figures: Readonly<Record<string, Figure>>
}

/** Measures a cell over all ways in turn. */
export async function measureCell(cell: Cell, ways: readonly Way[], { upstream }: Ways): Promise<MeasuredCell> {
  const { prefix: _, rounds: count, ...order } = cell
  const rounds = await inTurn(ways, count, way =>
    withCosts(way, way.answeredBy ?? upstream, () =>
      closedLoop({ url: way.url, rival: way.rival, ...(way.key && { key: way.key }), ...order }),
    ),
  )
  const complaints = ways.map(({ name }) => rounds.of(name).find(({ complaint }) => complaint !== undefined)?.complaint)
  return {
    rounds,
    table: tableOf(cell, ways, rounds),
    notes: complaints.filter(complaint => complaint !== undefined),
    figures: figuresOf(cell, ways, rounds),
  }
}

const p50 = (result: CellResult) => result.p50Ms
const p99 = (result: CellResult) => result.p99Ms

function tableOf({ connections, events }: Cell, ways: readonly Way[], rounds: Rounds<CellResult>): Table {
  const [who, unit] = [connections === 1 ? 'one connection' : `${connections} connections`, events === undefined ? 'answer' : 'event']
  return {
    columns: [
      events === undefined ? `${who}, whole answers` : `${who}, streams of ${events} events`,
      `${unit}s/s`,
      'rounds',
      ...(events === undefined ? ['p50 ms', 'p99 ms'] : ['first event p50 ms', 'p99 ms']),
      'added p50',
      'added p99',
      `CPU µs/${unit}`,
      'resident MB',
      'gatehouse ÷ this',
    ],
    rows: ways.map(({ name, pid }) => {
      const all = rounds.of(name)
      const middle = (pick: (result: CellResult) => number, digits: number) => show(median(all.map(pick)), digits)
      const added = [p50, p99].map(pick =>
        name === 'direct' ? `±${show(noiseOf(rounds, pick), 3)}` : show(median(addedBy(rounds, name, pick)), 3),
      )
      return [
        name,
        middle(result => result.perSecond * (events ?? 1), 0),
        `±${show(spread(all.map(result => result.perSecond)) * 100)} %`,
        middle(p50, 3),
        middle(p99, 3),
        ...added,
        pid === undefined ? '' : middle(result => result.cpuMicroseconds / (events ?? 1), 1),
        pid === undefined ? '' : show(Math.max(...all.map(result => result.residentMb)), 1),
        name === 'gatehouse' ? '' : show(median(ratiosOf(rounds, 'gatehouse', name, result => result.perSecond)), 2),
      ]
    }),
  }
}

function figuresOf({ prefix, events = 1 }: Cell, ways: readonly Way[], rounds: Rounds<CellResult>): Record<string, Figure> {
  const own = rounds.of('gatehouse')
  const slug = (name: string) => name.replace(/\W+/g, '_').toLowerCase()
  const others = ways.filter(({ name }) => name !== 'gatehouse')
  const rates = (name: string) => rounds.of(name).map(result => result.perSecond * events)
  const figures: Record<string, Figure> = {}
  for (const { name } of others.filter(({ name }) => name !== 'direct'))
    figures[`ratio_to_${slug(name)}`] = fromRounds(
      ratiosOf(rounds, 'gatehouse', name, result => result.perSecond),
      'higher',
    )
  for (const [key, pick] of Object.entries({ p50, p99 })) {
    figures[`added_${key}_ms`] = fromRounds(addedBy(rounds, 'gatehouse', pick), 'lower')
    figures[`noise_${key}_ms`] = context(noiseOf(rounds, pick))
  }
  figures.gatehouse_per_second = fromRounds(rates('gatehouse'), 'higher')
  for (const { name } of others) figures[`${slug(name)}_per_second`] = fromRounds(rates(name), 'neither')
  figures.gatehouse_cpu_us = fromRounds(
    own.map(result => result.cpuMicroseconds / events),
    'lower',
  )
  figures.gatehouse_resident_mb = fromRounds(
    own.map(result => result.residentMb),
    'lower',
  )
  return Object.fromEntries(Object.entries(figures).map(([name, figure]) => [`${prefix}${name}`, figure]))
}
