import { startGatehouse } from '../house/gatehouse.ts'
import { sequential } from '../house/load.ts'
import { startUpstream } from '../house/upstream.ts'
import type { Part } from '../report/part.ts'
import { median, percentile, sorted } from '../report/stats.ts'
import { show, table } from '../report/table.ts'

const rounds = 7
const scale = { short: 0.2, usual: 1, long: 10 }

/** What is asked for, one request after the other. */
const kinds = [
  { name: 'whole answer', requests: 1500, warmUp: 500 },
  { name: 'first event of a stream', requests: 300, warmUp: 100, events: 3 },
] as const

/** Milliseconds of one round: directly, through gatehouse, and directly again. */
interface Round {
  readonly direct: Quantiles
  readonly gatehouse: Quantiles
  readonly again: Quantiles
}

interface Quantiles {
  readonly p50: number
  readonly p99: number
}

/** What gatehouse adds to a request that has the machine for itself. */
export const latency: Part = {
  name: 'latency',
  async run({ binary, length }) {
    await using upstream = await startUpstream({ intervalMs: 1 })
    await using gatehouse = await startGatehouse(binary, upstream.url)
    const measure = async (url: string, { requests, warmUp, ...rest }: (typeof kinds)[number]): Promise<Quantiles> => {
      const { times } = await sequential({ url, requests: requests * scale[length], warmUp, ...rest })
      const ascending = sorted(times)
      return { p50: percentile(ascending, 0.5), p99: percentile(ascending, 0.99) }
    }

    const rows: string[][] = []
    const figures: Record<string, number> = {}
    for (const kind of kinds) {
      const all: Round[] = []
      for (let round = 0; round < rounds; round++) {
        all.push({
          direct: await measure(upstream.url, kind),
          gatehouse: await measure(gatehouse.url, kind),
          again: await measure(upstream.url, kind),
        })
      }
      for (const quantile of ['p50', 'p99'] as const) {
        const { direct, through, added, noise } = summary(all, quantile)
        rows.push([`${kind.name}, ${quantile}`, ...[direct, through, added, noise].map(ms => show(ms, 3))])
        figures[`${'events' in kind ? 'stream' : 'whole'}_added_${quantile}_ms`] = added
        figures[`${'events' in kind ? 'stream' : 'whole'}_noise_${quantile}_ms`] = noise
      }
    }
    return {
      table: table(['one connection, ms', 'direct', 'gatehouse', 'added', 'noise'], rows),
      figures,
      targets: [],
    }
  },
}

/** Added: against the mean of the two direct runs around it. Noise: what the direct runs differ by. Medians of the rounds. */
function summary(rounds: readonly Round[], quantile: keyof Quantiles) {
  const middle = (pick: (round: Round) => number) => median(rounds.map(pick))
  const direct = ({ direct, again }: Round) => (direct[quantile] + again[quantile]) / 2
  return {
    direct: middle(direct),
    through: middle(round => round.gatehouse[quantile]),
    added: middle(round => round.gatehouse[quantile] - direct(round)),
    noise: middle(round => Math.abs(round.direct[quantile] - round.again[quantile])),
  }
}
