import { startGatehouse } from '../house/gatehouse.ts'
import { closedLoop } from '../house/load.ts'
import { startNginx } from '../house/nginx.ts'
import { cpuSeconds } from '../house/proc.ts'
import { startUpstream } from '../house/upstream.ts'
import type { Part } from '../report/part.ts'
import { median, spread } from '../report/stats.ts'
import { show, table } from '../report/table.ts'

const connections = 50
const rounds = 7
const warmUpSeconds = 0.5
const seconds = { short: 0.5, usual: 2, long: 20 }
const goal = 0.5

/** One way to the upstream. */
interface Way {
  readonly name: string
  readonly url: string
  readonly pid?: number
}

interface Round {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly cpuMicroseconds: number
}

/** Whole answers per second over 50 connections: direct, through gatehouse, through nginx, in turn. */
export const throughput: Part = {
  name: 'throughput',
  async run({ binary, nginx, length }) {
    await using upstream = await startUpstream()
    await using gatehouse = await startGatehouse(binary, upstream.url)
    await using one = nginx ? await startNginx(nginx, upstream.url, 1) : undefined
    await using auto = nginx ? await startNginx(nginx, upstream.url, 'auto') : undefined
    const ways: Way[] = [
      { name: 'direct', url: upstream.url },
      { name: 'gatehouse', url: gatehouse.url, pid: gatehouse.pid },
      ...(one ? [{ name: 'nginx plain', url: one.plain, pid: one.pid }] : []),
      ...(one ? [{ name: 'nginx keep-alive', url: one.kept, pid: one.pid }] : []),
      ...(auto ? [{ name: 'nginx plain, auto', url: auto.plain, pid: auto.pid }] : []),
    ]
    const results = new Map<string, Round[]>(ways.map(({ name }) => [name, []]))
    for (let round = 0; round < rounds; round++) {
      for (const way of ways) results.get(way.name)?.push(await measure(way, seconds[length], upstream.report))
    }

    const rates = (name: string) => (results.get(name) ?? []).map(round => round.perSecond)
    const perSecond = (name: string) => median(rates(name))
    // round by round, so that what else the machine did in a round touches both sides
    const ratio = (name: string) => median(rates(name).map((rate, round) => (rates('gatehouse')[round] as number) / rate))
    const rows = [...results].map(([name, all]) => {
      const middle = (pick: (round: Round) => number) => median(all.map(pick))
      return [
        name,
        show(middle(round => round.perSecond)),
        `±${show(spread(all.map(round => round.perSecond)) * 100)} %`,
        show(
          middle(round => round.p50Ms),
          2,
        ),
        show(
          middle(round => round.p99Ms),
          2,
        ),
        name === 'direct'
          ? ''
          : show(
              middle(round => round.cpuMicroseconds),
              1,
            ),
        name === 'gatehouse' ? '' : show(ratio(name), 2),
      ]
    })
    return {
      table: table(['50 connections', 'answers/s', 'rounds', 'p50 ms', 'p99 ms', 'CPU µs/answer', 'gatehouse ÷ this'], rows),
      figures: {
        ...(one && { ratio_to_nginx_plain: ratio('nginx plain'), ratio_to_nginx_keepalive: ratio('nginx keep-alive') }),
        ...(auto && { ratio_to_nginx_auto: ratio('nginx plain, auto') }),
        ...Object.fromEntries(ways.map(({ name }) => [`${name.replace(/\W+/g, '_')}_per_second`, perSecond(name)])),
        gatehouse_cpu_us: median((results.get('gatehouse') ?? []).map(round => round.cpuMicroseconds)),
      },
      targets: one
        ? [{ what: `gatehouse ÷ nginx plain is ${show(ratio('nginx plain'), 2)}, at least ${goal}`, met: ratio('nginx plain') >= goal }]
        : [],
    }
  },
}

async function measure({ name, url, pid }: Way, seconds: number, report: () => Promise<{ answered: number }>): Promise<Round> {
  const { answered } = await report()
  const used = pid === undefined ? 0 : cpuSeconds(pid)
  const { total, wrong, perSecond, p50Ms, p99Ms } = await closedLoop({ url, connections, seconds, warmUpSeconds })
  const cpu = pid === undefined ? 0 : cpuSeconds(pid) - used
  if (wrong > 0) throw new Error(`${name}: ${wrong} of ${total} answers were wrong`)
  if ((await report()).answered - answered < total) throw new Error(`${name}: some answers did not come from the upstream`)
  return { perSecond, p50Ms, p99Ms, cpuMicroseconds: (cpu / total) * 1e6 }
}
