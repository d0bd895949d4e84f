import { cacheReport } from '../../house/cache-report.ts'
import { closedLoop } from '../../house/load.ts'
import type { UpstreamProcess } from '../../house/upstream.ts'
import type { Way } from '../../house/ways.ts'
import type { CacheWord } from '../../load/cache-check.ts'
import type { CellResult } from '../cell.ts'
import { withCosts } from '../costs.ts'

/** A way, and what its cache is asked for. */
export interface Row {
  readonly name: string
  readonly way: Way
  /** Whatever the cache says otherwise ends the run. Left out, the way has no cache. */
  readonly cache?: CacheWord
}

/** How much it is asked. */
export interface RowOrder {
  readonly connections: number
  /** Events per stream; without it, whole answers are asked for. */
  readonly events?: number
  readonly seconds: number
  readonly warmUpSeconds: number
}

/** What came of a row in one round. */
export interface RowResult extends CellResult {
  /** The share of answers that joined a call which was under way. */
  readonly joinedShare: number
}

/** As many prompts come again and again where answers are to be kept, and where nobody keeps any. */
const keptPrompts = 100
const knownPrompts = { from: 0, count: keptPrompts }

/** More than one measurement can ask for. */
const promptsEach = 1e9

/** Gives the first number of a lot of prompts that nobody has asked for. */
export function createFreshPrompts(): () => number {
  let used = 0
  return () => {
    used += promptsEach
    return used
  }
}

/** Measures a row once. Answers that are to be hits are kept before. */
export async function measureRow(row: Row, order: RowOrder, upstream: UpstreamProcess, freshPrompts: () => number): Promise<RowResult> {
  const { name, way, cache } = row
  if (cache === 'hit') await keepAnswers(row, order)
  const load = {
    url: way.url,
    ...order,
    prompts: cache === 'miss' || cache === 'joined' ? { from: freshPrompts() } : knownPrompts,
    together: cache === 'joined',
    ...(cache && { cache }),
  }
  const joinsBefore = await joinsOf(row)
  const result = await withCosts({ ...way, name }, upstream, () => closedLoop(load), cache && upstreamShareOf(cache, order))
  const turns = result.total / order.connections
  if (cache === 'joined' && result.missed !== turns)
    throw new Error(`${name}: the cache called ${result.missed} of ${result.total} answers a MISS, not one in each of ${turns} turns`)
  return { ...result, joinedShare: ((await joinsOf(row)) - joinsBefore) / Math.max(1, result.total) }
}

/** How many calls reach the upstream for each answer. */
function upstreamShareOf(cache: CacheWord, { connections }: RowOrder): number {
  if (cache === 'hit') return 0
  return cache === 'joined' ? 1 / connections : 1
}

async function keepAnswers({ name, way: { url } }: Row, { events }: RowOrder): Promise<void> {
  const order = { url, connections: 1, requests: keptPrompts, prompts: knownPrompts, ...(events !== undefined && { events }) }
  const { wrong, firstWrong } = await closedLoop(order)
  if (wrong > 0) throw new Error(`${name}: ${wrong} of the answers that were to be kept were wrong, the first: ${firstWrong}`)
}

const joinsOf = async ({ way, cache }: Row): Promise<number> => (cache ? (await cacheReport(way.url)).joins : 0)
