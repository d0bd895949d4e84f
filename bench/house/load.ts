import { join } from 'node:path'
import type { ClosedLoopOrder, ClosedLoopResult } from '../load/closed-loop.ts'
import type { OpenLoopOrder, OpenLoopResult } from '../load/open-loop.ts'
import type { StalledOrder } from '../load/stalled.ts'
import type { StreamsOrder, StreamsResult } from '../load/streams.ts'
import { type Child, spawnChild } from './spawn.ts'

/** As fast as the answers come. `onProgress` hears of every `reportEvery` answers. */
export const closedLoop = (order: ClosedLoopOrder, onProgress?: (total: number) => void) =>
  run<ClosedLoopResult>('closedLoop', order, onProgress)

/** As the schedule says, whatever the answers do. */
export const openLoop = (order: OpenLoopOrder) => run<OpenLoopResult>('openLoop', order)

/** Many streams at once. */
export const streams = (order: StreamsOrder) => run<StreamsResult>('streams', order)

/** Streams nobody reads, until the child is disposed. */
export async function stalled(order: StalledOrder): Promise<Child> {
  const child = spawnLoad('stalled', order)
  await resultOf(child)
  return child
}

async function run<Result>(kind: string, order: object, onProgress?: (total: number) => void): Promise<Result> {
  await using child = spawnLoad(kind, order)
  return (await resultOf(child, onProgress)) as Result
}

/** Whatever hangs, the benchmark ends; the longest soak takes half of this. */
const lifeMs = 600_000

const spawnLoad = (kind: string, order: object) =>
  spawnChild([process.execPath, join(import.meta.dir, '..', 'load.ts'), kind, JSON.stringify(order)], { lifeMs })

async function resultOf({ lines }: Child, onProgress?: (total: number) => void): Promise<unknown> {
  for (let line = await lines.next(); !line.done; line = await lines.next()) {
    const { result, total } = JSON.parse(line.value)
    if (result !== undefined) return result
    onProgress?.(total)
  }
  throw new Error('the load generator ended without a result')
}
