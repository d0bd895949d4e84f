import { isAlive } from '../../../core/processes/testing/alive.ts'
import { type Started, standIn } from '../../../core/testing/model-process/stand-in.ts'
import { openHouse } from '../../../core/testing/open-house.ts'
import { seededRandom } from '../../../core/testing/random.ts'

/** What came of a walk. */
export interface HouseReport {
  readonly answered: number
  readonly refused: number
  readonly left: number
  readonly starts: number
  readonly wrong: readonly string[]
}

const names = ['a', 'b', 'c', 'd', 'e', 'f']
const longestMs = 60_000

/** A real llama-server and its model, or else the stand-in. */
const { LLAMA_SERVER_PATH: realServer, GGUF_PATH: realModel } = process.env

/**
 * Random requests to six models of which two may run, through a whole gateway, while clients leave, processes are killed,
 * models unloaded, and the config is reloaded. Judged by every answer, and by what is left at the end.
 */
export async function walkHouse(seed: number, steps: number, portsFrom: number): Promise<HouseReport> {
  const random = seededRandom(seed)
  const below = (limit: number) => Math.floor(random() * limit)
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T
  const real = realServer !== undefined && realModel !== undefined
  using stand = standIn()
  for (const name of names) stand.model(name, { loadMs: below(80), ...(below(4) === 0 && { grandchildren: ['own-session'] }) })
  const model = (name: string, more: object = {}) => ({
    name,
    model_path: real ? realModel : `${stand.folder}/${name}.gguf`,
    ...{ context_size: 512, slots: 2, extra_args: ['--alias', name], ...more },
  })
  const yaml = (more: object = {}) => ({
    llama_server_path: real ? realServer : stand.executable,
    port_range_start: portsFrom,
    max_loaded_models: 2,
    models: names.map(name => model(name, name === 'f' ? more : {})),
    timeouts: { queue: '30s', load: '20s' },
    router: { retries: 1 },
  })
  const report = { answered: 0, refused: 0, left: 0, starts: 0, wrong: [] as string[] }
  const house = await openHouse({ yaml: yaml() })
  const { processes } = house.serving.gateway
  const pids = new Set<number>()
  const note = () => {
    const rows = processes.list().filter(({ state }) => state !== 'stopped' && state !== 'failed')
    for (const { pid } of rows) if (pid !== null) pids.add(pid)
    if (rows.length > 2) report.wrong.push(`${rows.length} run at once: ${rows.map(row => `${row.model} ${row.state}`)}`)
  }

  const ask = async (name: string, at: number) => {
    const stream = below(2) === 0
    const leaver = new AbortController()
    const leaves = below(5) === 0 ? setTimeout(() => leaver.abort(), below(300)) : undefined
    const late = setTimeout(() => report.wrong.push(`request ${at} of ${name} is stuck`), longestMs)
    try {
      const response = await fetch(`${house.url}/v1/chat/completions`, {
        method: 'POST',
        signal: leaver.signal,
        body: JSON.stringify({ model: name, stream, seed: at, max_tokens: 8, messages: [{ role: 'user', content: `say ${at}` }] }),
      })
      const text = await response.text()
      if (response.status === 200) {
        const whole = stream ? text.endsWith('data: [DONE]\n\n') : text.includes('"choices"')
        if (whole) report.answered++
        else if (text.includes('"error"'))
          report.refused++ // the process was killed in the middle
        else report.wrong.push(`request ${at} of ${name} got half an answer: ${text.slice(-200)}`)
        if (whole && !text.includes(`"model":"${name}"`)) report.wrong.push(`request ${at} of ${name}: ${text.slice(0, 200)}`)
      } else if ([429, 502, 503, 504].includes(response.status)) report.refused++
      else report.wrong.push(`request ${at} of ${name}: ${response.status} ${text.slice(0, 200)}`)
    } catch (error) {
      if (leaver.signal.aborted) report.left++
      else report.wrong.push(`request ${at} of ${name}: ${error}`)
    } finally {
      clearTimeout(leaves)
      clearTimeout(late)
    }
  }

  const asked: Promise<unknown>[] = []
  for (let at = 0; at < steps; at++) {
    note()
    const dice = below(100)
    if (dice < 80) asked.push(ask(pick(names), at))
    else if (dice < 86) {
      const running = processes.list().filter(({ pid, state }) => pid !== null && state === 'ready')
      if (running.length > 0) kill(pick(running).pid as number)
    } else if (dice < 92) asked.push(processes.unload(pick(names), { force: below(2) === 0 }))
    else if (dice < 94) await house.reload(yaml(below(2) === 0 ? { threads: 2 } : {}))
    else await Bun.sleep(below(150))
  }
  await Promise.all(asked)
  note()
  const row = processes.list().find(({ in_flight: inFlight }) => inFlight > 0)
  if (row) report.wrong.push(`${row.model} still has ${row.in_flight} requests`)
  const starts: Started[] = names.flatMap(name => [...stand.starts(name)])
  report.starts = starts.length
  for (const { pid, besides } of starts) {
    pids.add(pid)
    if (besides.length > 0) report.wrong.push(`started twice: ${pid} beside ${besides}`)
  }
  const family = starts.flatMap(({ grandchildren }) => grandchildren)
  await house.stop()
  for (const pid of [...pids, ...family]) if (isAlive(pid)) report.wrong.push(`left behind: ${pid}`)
  return report
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it was killed in the step before, and nobody has noticed yet
  }
}
