import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FakeServer } from '../../../core/testing/fake-server.ts'
import { type GatehouseProcess, startGatehouse } from '../../../core/testing/gatehouse-process.ts'
import { comesTrue } from '../../../core/testing/keyed.ts'
import { seededRandom } from '../../../core/testing/random.ts'

const adminKey = 'sk-admin-0000'
const clients = 50
const models = ['echo', 'echo', 'len', 'burst:10:2', 'burst:20:10', 'hold-mid']
/** What a request can be charged that its client did not get whole: its reservation is no less than the dearest of these. */
const mostOfOne = 120

/**
 * The key of one client, and what came back with it in a round. With a key for several of them, what one has lost might hide
 * behind what others were charged for requests that were cut off.
 */
interface Purse {
  readonly id: number
  readonly secret: string
  readonly quota: number | null
  /** Charged in the rounds before. */
  usedBefore: number
  /** The tokens of answers that were received whole, as these said themselves. */
  paid: number
  /** Requests that were begun and not refused, of which no whole answer came. */
  cut: number
}

/** What came of many rounds. */
export interface CrashReport {
  readonly rounds: number
  readonly whole: number
  readonly cut: number
  readonly refused: number
  /** Requests that a start found left open. */
  readonly leftOpen: number
  readonly wrong: readonly string[]
}

/**
 * Lets 50 clients ask a real process, kills it with `kill -9` in the middle, starts it again over the same data folder, and
 * compares what each key is charged with what was received whole; time after time.
 */
export async function crash(upstream: FakeServer, rounds: number, seed: number, redisUrl?: string): Promise<CrashReport> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-crash-'))
  const random = seededRandom(seed)
  const wrong: string[] = []
  const sum = { whole: 0, cut: 0, refused: 0, leftOpen: 0 }
  const start = () =>
    startGatehouse({
      files: { 'gatehouse.yaml': JSON.stringify(yamlOf(upstream.url, redisUrl)) },
      env: { DATA_DIR: join(folder, 'data'), ADMIN_API_KEY: adminKey },
    })
  let house = await start()
  try {
    const quotas = [null, 100_000_000, 5_000_000, 500, 250]
    const purses = await Promise.all(Array.from({ length: clients }, (_, at) => makePurse(house, quotas[at % quotas.length] ?? null)))
    for (let round = 1; round <= rounds; round++) {
      const came: Came = { whole: 0, cut: 0, refused: 0, wrong: [] }
      const load = ask(house, upstream, purses, random, came)
      // at first a thread loads its tokenizer, and hardly anybody is answered
      if (random() < 0.8) await comesTrue(() => came.whole > clients, 'the load is there')
      await Bun.sleep(Math.floor(random() * 700))
      house.signal('SIGKILL')
      await load
      await house[Symbol.asyncDispose]()
      house = await start()
      for (const name of ['whole', 'cut', 'refused'] as const) sum[name] += came[name]
      sum.leftOpen += Number(house.output.stdout.match(/"requests":(\d+).*that the last end cut off/)?.[1] ?? 0)
      for (const purse of purses) wrong.push(...(await faultsOf(house, purse)).map(fault => `round ${round}: ${fault}`))
      wrong.push(...came.wrong)
    }
    return { rounds, ...sum, wrong }
  } finally {
    await house[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  }
}

const yamlOf = (url: string, redisUrl: string | undefined) => ({
  backends: { up: { type: 'openai-compatible', base_url: url } },
  default_backend: 'up',
  router: { retries: 0 },
  rate_limit_rps: 1_000_000,
  cache: { enabled: false },
  ...(redisUrl !== undefined && { redis: { url: redisUrl } }),
})

async function admin({ url }: GatehouseProcess, method: string, path: string, body?: object) {
  const init = { method, headers: { authorization: `Bearer ${adminKey}` }, ...(body && { body: JSON.stringify(body) }) }
  const response = await fetch(url + path, init)
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
  // biome-ignore lint/suspicious/noExplicitAny: what tests look at
  return (await response.json()) as any
}

async function makePurse(house: GatehouseProcess, quota: number | null): Promise<Purse> {
  const { id, key } = await admin(house, 'POST', '/admin/keys', { name: `quota ${quota}`, quota, rate_limit: null })
  return { id, secret: key, quota, usedBefore: 0, paid: 0, cut: 0 }
}

/** What is wrong with the charges of a key in a round, which is over then. Nothing may be set aside: nobody asks for anything. */
async function faultsOf(house: GatehouseProcess, purse: Purse): Promise<string[]> {
  const { id, quota, usedBefore, paid, cut } = purse
  const key = () => admin(house, 'GET', `/admin/keys/${id}`)
  await comesTrue(async () => (await key()).reserved === 0, `nothing is reserved for key ${id}`)
  const { used } = await key()
  const charged = used - usedBefore
  Object.assign(purse, { usedBefore: used, paid: 0, cut: 0 })
  return [
    ...(charged < paid ? [`key ${id} is charged ${charged}, and ${paid} were received whole`] : []),
    ...(charged > paid + cut * mostOfOne ? [`key ${id} is charged ${charged} for ${paid} and ${cut} that were cut off`] : []),
    ...(quota !== null && used > quota ? [`key ${id} is charged ${used} of ${quota}`] : []),
  ]
}

interface Came {
  whole: number
  cut: number
  refused: number
  readonly wrong: string[]
}

/** Asks until the house is gone. */
async function ask(house: GatehouseProcess, upstream: FakeServer, purses: readonly Purse[], random: () => number, came: Came) {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  let gone = false
  void house.exited.then(() => {
    gone = true
  })
  const release = setInterval(upstream.release, 30)
  const one = async (purse: Purse): Promise<void> => {
    const stream = random() < 0.5
    const leaving = random() < 0.05 ? AbortSignal.timeout(Math.floor(random() * 50)) : undefined
    const body = {
      model: pick(models),
      stream,
      max_tokens: 30,
      messages: [{ role: 'user', content: `say ${Math.floor(random() * 10_000)}` }],
      ...(stream && { stream_options: { include_usage: true } }),
    }
    let text = ''
    let status = 0
    try {
      const response = await fetch(`${house.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${purse.secret}` },
        body: JSON.stringify(body),
        ...(leaving && { signal: leaving }),
      })
      status = response.status
      const decoder = new TextDecoder()
      for await (const part of response.body as ReadableStream<Uint8Array>) text += decoder.decode(part, { stream: true })
    } catch {
      // it was killed, or the client left; what came until then may be whole
    }
    if (status === 429) came.refused++
    else if (status !== 200 && status !== 0) came.wrong.push(`${status}: ${text}`)
    else {
      const paid = status === 200 ? tokensOf(text, stream) : undefined
      if (paid === undefined) {
        came.cut++
        purse.cut++
      } else {
        came.whole++
        purse.paid += paid
      }
    }
  }
  await Promise.all(
    purses.map(async purse => {
      while (!gone) {
        await one(purse)
        // who has just paid, or cannot, does not ask again at once, so that hardly anybody asks when it is gone
        await Bun.sleep(Math.floor(random() * 40))
      }
    }),
  )
  clearInterval(release)
}

/** What a whole answer says that it cost; undefined when it is not whole. */
function tokensOf(text: string, stream: boolean): number | undefined {
  if (stream && !/^data: \[DONE\]$/m.test(text)) return
  try {
    if (!stream) return JSON.parse(text).usage.total_tokens
  } catch {
    return
  }
  const told = text.match(/"total_tokens":\s*(\d+)/)?.[1]
  if (told === undefined) throw new Error(`a stream that does not say what it cost: ${text}`)
  return Number(told)
}
