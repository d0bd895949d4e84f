import { spawnChild } from '../house/spawn.ts'
import { show, type Table } from '../report/table.ts'
import { prose } from './prose.ts'

const atATime = 20
const size = 1024 * 1024
/** What the pool has to reach: so much of the delay without it. */
export const mostOfInline = 1 / 3

interface Delays {
  readonly p50: number
  readonly p99: number
  readonly max: number
  readonly answers: number
  readonly exact: number
}

export interface LoopOutcome {
  readonly table: Table
  readonly ratio: number
}

/** How late the event loop is while prompts of a megabyte are hashed and counted, with the pool and without. */
export async function loopDelay(seconds: number): Promise<LoopOutcome> {
  const idle = await run('pool', seconds, 0)
  const inline = await run('inline', seconds, atATime)
  const pool = await run('pool', seconds, atATime)
  const row = (name: string, { p50, p99, max, answers, exact }: Delays) => [
    name,
    ...[p50, p99, max].map(ms => show(ms, 1)),
    show(answers / seconds, 1),
    show(answers - exact),
  ]
  return {
    table: {
      columns: [`event loop late by, ms (${seconds} s)`, 'p50', 'p99', 'max', 'prompts/s', 'estimated'],
      rows: [row('nothing to do', idle), row('without the pool', inline), row('with the pool', pool)],
    },
    ratio: pool.p99 / inline.p99,
  }
}

async function run(mode: 'pool' | 'inline', seconds: number, parallel: number): Promise<Delays> {
  await using child = spawnChild([process.execPath, new URL('loop-server.ts', import.meta.url).pathname, mode])
  const url = `http://127.0.0.1:${(await child.lines.next()).value}`
  const bodies = Array.from({ length: atATime }, (_, nth) =>
    JSON.stringify({ model: 'x', messages: [{ role: 'user', content: prose(size, nth) }] }),
  )
  const ask = async (body: string) => (await (await fetch(url, { method: 'POST', body })).json()) as { exact: boolean; method: string }
  if (parallel > 0) await ask(bodies[0] as string) // loads the tokenizer
  await fetch(url)

  const until = performance.now() + seconds * 1000
  let [answers, exact] = [0, 0]
  const client = async (nth: number) => {
    while (performance.now() < until) {
      const { method } = await ask(bodies[nth] as string)
      if (performance.now() >= until) return
      answers++
      if (method !== 'estimate') exact++
    }
  }
  await Promise.all([Bun.sleep(seconds * 1000), ...Array.from({ length: parallel }, (_, nth) => client(nth))])
  const delays = (await (await fetch(url)).json()) as Omit<Delays, 'answers' | 'exact'>
  return { ...delays, answers, exact }
}
