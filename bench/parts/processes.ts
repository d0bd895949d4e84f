import { type GatehouseOptions, startGatehouse } from '../house/gatehouse.ts'
import { reportOf, startUpstream, upstreamCommand } from '../house/upstream.ts'
import type { Way, Ways } from '../house/ways.ts'
import type { Part, Setting } from '../report/part.ts'
import { median, spread } from '../report/stats.ts'
import { show } from '../report/table.ts'
import { type MeasuredCell, measureCell } from './cell.ts'
import { noiseOf, type Rounds, ratiosOf } from './rounds.ts'

const warmUpSeconds = 0.5
const rounds = { short: 3, usual: 7, long: 15 }
const seconds = { short: 0.5, usual: 2, long: 10 }
const fewerSeconds = { short: 0.3, usual: 1, long: 5 }
const [connections, events] = [50, 50]

const [own, remote] = ['own process', 'gatehouse']

/** What it costs that gatehouse runs the model itself, against the same server as a backend. */
export const processes: Part = {
  name: 'processes',
  async run(setting) {
    await using ways = await openProcessWays(setting)
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
    const direct = spread(whole.rounds.of('direct').map(({ perSecond }) => perSecond))
    const ratio = median(ratiosOf(whole.rounds, own, remote, ({ perSecond }) => perSecond))
    const added = median(addedMs(alone.rounds))
    const noise = noiseOf(alone.rounds, ({ p50Ms }) => p50Ms)
    const cells = [whole, streams, alone]
    return {
      tables: cells.map(({ table }) => table),
      notes: [...cells.flatMap(({ notes }) => notes), ...cells.map(cpuNote)],
      figures: Object.assign({}, ...cells.map(({ figures }) => figures)),
      targets: [
        {
          what: `whole answers over ${connections} connections: own process ÷ backend is ${show(ratio, 2)}, and direct differs from itself by ${show(direct, 2)}`,
          met: ratio >= 1 - direct,
        },
        {
          what: `one connection: a process of its own adds ${show(added, 3)} ms at p50, no more than direct differs from itself, ${show(noise, 3)}`,
          met: added <= noise,
        },
      ],
    }
  },
}

async function openProcessWays({ binary, upstreamPort }: Setting): Promise<Ways> {
  await using stack = new AsyncDisposableStack()
  const upstream = stack.use(await startUpstream({ port: upstreamPort, intervalMs: 0 }))
  const start = async (name: string, options: GatehouseOptions): Promise<Way> => {
    const { url, pid } = stack.use(await startGatehouse(binary, upstream.url, options))
    return { name, url, pid, rival: false }
  }
  const process = await start(own, { command: upstreamCommand })
  await load(process.url)
  const answeredBy = { report: async () => reportOf(await processOf(process.url)) }
  const all = [{ name: 'direct', url: upstream.url, rival: false }, await start(remote, {}), { ...process, answeredBy }]
  const started = stack.move()
  return { upstream, all, [Symbol.asyncDispose]: () => started.disposeAsync() }
}

/** Has the model loaded, so that nothing of that is measured. */
async function load(url: string): Promise<void> {
  const body = JSON.stringify({ model: 'bench', messages: [{ role: 'user', content: 'hi' }] })
  const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body })
  if (!response.ok) throw new Error(`the model cannot be loaded: ${(await response.text()).slice(0, 200)}`)
}

/** Where the process of the model listens. */
async function processOf(url: string): Promise<string> {
  const { data } = (await (await fetch(`${url}/running`)).json()) as { data: [{ port: number }] }
  return `http://127.0.0.1:${data[0].port}`
}

/** Round by round, what a process of its own adds to an answer. */
function addedMs({ of }: Rounds<{ readonly p50Ms: number }>): number[] {
  const without = of(remote)
  return of(own).map(({ p50Ms }, round) => p50Ms - (without[round]?.p50Ms ?? 0))
}

/** Rates follow what else the machine does; processor time less so. */
function cpuNote({ rounds, table }: MeasuredCell): string {
  const share = median(ratiosOf(rounds, own, remote, ({ cpuMicroseconds }) => cpuMicroseconds))
  return `${table.columns[0]}: of its own process an answer takes ${show(share, 2)} times the processor time of gatehouse`
}
