import type { UpstreamProcess } from '../../house/upstream.ts'
import { type Figure, fromRounds } from '../../report/figure.ts'
import { median, spread } from '../../report/stats.ts'
import { show, type Table } from '../../report/table.ts'
import { inTurn, type Rounds, ratiosOf } from '../rounds.ts'
import { measureRow, type Row, type RowOrder, type RowResult } from './row.ts'

/** Rows that take turns. The first one is the direct way. */
export interface Cell {
  readonly order: RowOrder
  readonly rounds: number
  readonly rows: readonly Row[]
  /** What the names of its figures begin with. */
  readonly prefix: string
}

export interface MeasuredCell {
  readonly rounds: Rounds<RowResult>
  readonly table: Table
  readonly figures: Readonly<Record<string, Figure>>
}

/** Whom the cache has to beat. */
export const nginx = 'nginx plain'

/** Measures all rows round by round. */
export async function measureCell(cell: Cell, upstream: UpstreamProcess, freshPrompts: () => number): Promise<MeasuredCell> {
  const rounds = await inTurn(cell.rows, cell.rounds, row => measureRow(row, cell.order, upstream, freshPrompts))
  return { rounds, table: tableOf(cell, rounds), figures: figuresOf(cell, rounds) }
}

/** How a row stands to nginx, round by round; empty without nginx. */
export const ratesToNginx = (rounds: Rounds<RowResult>, name: string): number[] =>
  rounds.of(nginx).length === 0 ? [] : ratiosOf(rounds, name, nginx, ({ perSecond }) => perSecond)

/** The rounds as a table. */
export function tableOf({ order: { connections, events }, rows }: Pick<Cell, 'order' | 'rows'>, rounds: Rounds<RowResult>): Table {
  const unit = events === undefined ? 'answer' : 'event'
  return {
    columns: [
      `${connections === 1 ? 'one connection' : `${connections} connections`}, ${events === undefined ? 'whole answers' : `streams of ${events} events`}`,
      `${unit}s/s`,
      'rounds',
      ...(events === undefined ? ['p50 ms', 'p99 ms'] : ['first event p50 ms', 'p99 ms', 'last event p50 ms', 'p99 ms']),
      `CPU µs/${unit}`,
      'resident MB',
      'upstream asked',
      `÷ ${nginx}`,
    ],
    rows: rows.map(({ name, way: { pid } }) => {
      const all = rounds.of(name)
      const middle = (pick: (result: RowResult) => number, digits: number) => show(median(all.map(pick)), digits)
      const toNginx = ratesToNginx(rounds, name)
      return [
        name,
        middle(({ perSecond }) => perSecond * (events ?? 1), 0),
        `±${show(spread(all.map(({ perSecond }) => perSecond)) * 100)} %`,
        middle(({ p50Ms }) => p50Ms, 3),
        middle(({ p99Ms }) => p99Ms, 3),
        ...(events === undefined ? [] : [middle(({ endP50Ms }) => endP50Ms, 3), middle(({ endP99Ms }) => endP99Ms, 3)]),
        pid === undefined ? '' : middle(({ cpuMicroseconds }) => cpuMicroseconds / (events ?? 1), 1),
        pid === undefined ? '' : show(Math.max(...all.map(({ residentMb }) => residentMb)), 1),
        `${middle(({ upstreamShare }) => upstreamShare * 100, 0)} %`,
        name === nginx || toNginx.length === 0 ? '' : show(median(toNginx), 2),
      ]
    }),
  }
}

/** The rounds as figures. What others do has no good side. */
export function figuresOf(
  { order, rows, prefix }: Pick<Cell, 'order' | 'rows' | 'prefix'>,
  rounds: Rounds<RowResult>,
): Record<string, Figure> {
  const events = order.events ?? 1
  const named = rows.flatMap(({ name, cache }) => {
    const key = `${prefix}${name.replace(/\W+/g, '_')}`
    const figure = (pick: (result: RowResult) => number, better: 'lower' | 'higher' | 'neither') =>
      fromRounds(rounds.of(name).map(pick), better)
    const perSecond = (better: 'higher' | 'neither') => [`${key}_per_second`, figure(result => result.perSecond * events, better)] as const
    // the gatehouse without a cache has figures of its own in other parts
    if (!cache) return [perSecond('neither')]
    const toNginx = ratesToNginx(rounds, name)
    return [
      perSecond('higher'),
      ...(toNginx.length > 0 ? [[`${key}_ratio_to_nginx_plain`, fromRounds(toNginx, 'higher')] as const] : []),
      [`${key}_p50_ms`, figure(({ p50Ms }) => p50Ms, 'lower')] as const,
      [`${key}_p99_ms`, figure(({ p99Ms }) => p99Ms, 'lower')] as const,
      ...(order.events === undefined ? [] : [[`${key}_end_p50_ms`, figure(({ endP50Ms }) => endP50Ms, 'lower')] as const]),
      [`${key}_cpu_us`, figure(({ cpuMicroseconds }) => cpuMicroseconds / events, 'lower')] as const,
    ]
  })
  return Object.fromEntries(named)
}
