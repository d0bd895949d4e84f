import { createWorkers, defaultLimits } from '../../core/workers.ts'
import { digest } from '../../workers/digest.ts'
import { countTokens } from '../../workers/tokens.ts'
import { median } from '../report/stats.ts'
import { brief, show, type Table } from '../report/table.ts'
import { prose } from './prose.ts'

const sizes = [128, 1024, 4 * 1024, 32 * 1024, 256 * 1024, 512 * 1024, 1024 * 1024, 4 * 1024 * 1024]

interface Cost {
  /** How long the work took, and for how much of that the event loop stood still. In milliseconds. */
  readonly took: number
  readonly blocked: number
}

/** What work costs in this thread and in another, by its size. `rounds` is for a kilobyte; larger ones get fewer. */
export async function breakEven(rounds: number): Promise<readonly Table[]> {
  const workers = createWorkers({ log: console, limits: () => ({ ...defaultLimits, digestFrom: 0 }) })
  const hashes: string[][] = []
  const counts: string[][] = []
  for (const size of sizes) {
    const times = Math.max(15, Math.min(rounds, Math.round((rounds * 16_384) / size)))
    const texts = Array.from({ length: 8 }, (_, nth) => prose(size, nth))
    const bytes = texts.map(text => new TextEncoder().encode(text))
    const one = <T>(list: readonly T[], round: number) => list[round % list.length] as T
    const name = size < 1024 ? `${size} B` : `${show(size / 1024)} KB`
    hashes.push([
      name,
      ...cells(await measure(times, round => digest(one(bytes, round)))),
      ...cells(await measure(times, round => workers.digest(one(bytes, round)))),
      ...cells(await measure(times, round => workers.digest(one(texts, round)))),
    ])
    counts.push([
      name,
      ...cells(await measure(times, round => countTokens(one(texts, round), 'o200k_base'))),
      ...cells(await measure(times, round => workers.countTokens([one(texts, round)], 'o200k_base'))),
    ])
  }
  await workers.close()
  return [
    { columns: ['SHA-256, ms', 'here: took', 'blocked', 'thread, bytes: took', 'blocked', 'thread, text: took', 'blocked'], rows: hashes },
    { columns: ['tokens, ms', 'here: took', 'blocked', 'thread: took', 'blocked'], rows: counts },
  ]
}

const cells = ({ took, blocked }: Cost): string[] => [brief(took), brief(blocked)]

async function measure(times: number, work: (round: number) => unknown): Promise<Cost> {
  for (let round = 0; round < 10; round++) await work(round)
  const [took, blocked]: [number[], number[]] = [[], []]
  for (let round = 0; round < times; round++) {
    const turned = Promise.withResolvers<number>()
    const began = performance.now()
    const result = work(round)
    setImmediate(() => turned.resolve(performance.now())) // as soon as the loop is free again
    await result
    took.push(performance.now() - began)
    blocked.push((await turned.promise) - began)
  }
  return { took: median(took), blocked: median(blocked) }
}
