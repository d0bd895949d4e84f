import { GatewayError } from '../../../core/errors.ts'
import { fakeOpenai } from '../../../core/testing/fake-openai.ts'
import { allSettled, balanceOf, chatWith } from '../../../core/testing/keyed.ts'
import { type ManagedKey, makeKey } from '../../../core/testing/managed-key.ts'
import { type House, openHouse } from '../../../core/testing/open-house.ts'
import { seededRandom } from '../../../core/testing/random.ts'

/** What came of a schedule. */
export interface ScheduleReport {
  readonly whole: number
  readonly refused: number
  readonly failed: number
  readonly left: number
  readonly wrong: readonly string[]
}

const perMinute = 200_000
const places = 6
const models = [
  'echo',
  'echo',
  'len',
  'unicode',
  'boom',
  'reset',
  'break',
  'mid',
  'missing',
  'busy',
  'no-done',
  'hold',
  'hold-first',
  'hold-mid',
  'burst:5:1',
]

/**
 * Random requests with keys of every kind, some of which leave, fail, are refused or shared, over a ledger, leases and buckets that
 * take their time and fail now and then. Judged at the end by what is left, and all the time by whether limits hold.
 */
export async function runSchedule(seed: number, requests: number): Promise<ScheduleReport> {
  const random = seededRandom(seed)
  const below = (limit: number) => Math.floor(random() * limit)
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T
  await using upstream = await fakeOpenai({})
  await using house = await openHouse({
    yaml: {
      backends: { up: { type: 'openai-compatible', base_url: upstream.url } },
      default_backend: 'up',
      router: { retries: 0 },
      cache: random() < 0.5 ? { mode: 'all' } : { enabled: false },
    },
  })
  if (random() < 0.7) slowDown(house, random)
  const quotas = [null, 2000, 5000, 100_000]
  const keys = await Promise.all(
    quotas.map(quota =>
      makeKey(house, {
        quota,
        tokensPerMinute: random() < 0.5 ? perMinute : null,
        maxConcurrency: random() < 0.5 ? places : null,
        rateLimit: random() < 0.3 ? 30 : null,
        cacheScope: pick(['all', 'key', null]),
      }),
    ),
  )
  const wrong: string[] = []
  const counts = { whole: 0, refused: 0, failed: 0, left: 0 }
  const least = new Map<number, number>()

  const ask = async (key: ManagedKey) => {
    const leaving = new AbortController()
    const leavesAfter = random() < 0.35 ? below(30) : undefined
    const timer = leavesAfter === undefined ? undefined : setTimeout(() => leaving.abort(), leavesAfter)
    const content = pick(['hi', 'hi', 'how are you?', `${below(1000)}`])
    const body = { model: pick(models), stream: random() < 0.5, max_tokens: 10 + below(30), messages: [{ role: 'user', content }] }
    try {
      const response = await chatWith(house, key, body, leaving.signal)
      const text = await response.text()
      const isWhole = response.status === 200 && (body.stream ? text.includes('[DONE]') : text.includes('"choices"'))
      if (isWhole) counts.whole++
      else if (response.status === 429) counts.refused++
      else counts.failed++
      if (isWhole && response.headers.get('x-cache') !== 'HIT') least.set(key.id, (least.get(key.id) ?? 0) + 18)
      if (response.status === 500) wrong.push(`500: ${text}`)
    } catch {
      counts.left++
    }
    clearTimeout(timer)
  }
  const watch = setInterval(async () => {
    for (const [at, key] of keys.entries()) {
      const limit = quotas[at] ?? null
      const { used, reserved } = await balanceOf(house, key, limit)
      if (limit !== null && used + reserved > limit) wrong.push(`key ${key.id}: ${used} used and ${reserved} reserved of ${limit}`)
    }
  }, 5)
  const release = setInterval(() => upstream.release(), 20)

  const running: Promise<void>[] = []
  for (let at = 0; at < requests; at++) {
    running.push(ask(pick(keys)))
    if (random() < 0.3) await Bun.sleep(below(6))
  }
  await Promise.all(running)
  clearInterval(watch)
  clearInterval(release)
  upstream.release()

  const { usage, records, leases, store } = house.serving.gateway
  for (const [at, key] of keys.entries()) {
    const { used } = await allSettled(house, key) // waits until nothing is reserved
    const limit = quotas[at] ?? null
    if (limit !== null && used > limit) wrong.push(`key ${key.id}: ${used} of ${limit}`)
    if (used < (least.get(key.id) ?? 0)) wrong.push(`key ${key.id}: ${used} charged, ${least.get(key.id)} received whole`)
    await usage.flush()
    const [sum] = await records.usage.query({ from: '2020-01-01', to: '2100-01-01', by: [], keyId: key.id })
    const counted = (sum?.promptTokens ?? 0) + (sum?.completionTokens ?? 0)
    if (counted !== used) wrong.push(`key ${key.id}: ${counted} in the report, ${used} in the ledger`)
    const held = await Promise.all(Array.from({ length: places }, () => takePlace(leases, key)))
    if (held.includes(false)) wrong.push(`key ${key.id}: ${held.filter(granted => !granted).length} places are not given back`)
    const level = await store.giveBack(`tokens:${key.id}`, { perMinute, burst: perMinute }, 0)
    if (perMinute - (level?.remaining ?? 0) > used + 1)
      wrong.push(`key ${key.id}: ${perMinute - (level?.remaining ?? 0)} taken of the minute, ${used} used`)
  }
  const open = upstream.streams.filter(({ ended }) => ended === undefined).length
  if (open > 0) wrong.push(`${open} upstream calls are still open`)
  return { ...counts, wrong }
}

async function takePlace(leases: House['serving']['gateway']['leases'], { id }: ManagedKey): Promise<boolean> {
  for (;;) {
    try {
      return (await leases.take(`key:${id}`, places)).granted
    } catch {
      // it fails now and then
    }
  }
}

/** Makes what decides take up to 8 ms, and fail one time in thirty. Giving back does not fail: what was lost there would be lost. */
function slowDown({ serving }: House, random: () => number): void {
  const { ledger, store, leases } = serving.gateway
  const slow = <Args extends readonly unknown[], R>(decide: (...args: Args) => R | Promise<R>) => {
    return async (...args: Args): Promise<R> => {
      const [wait, fails] = [random() * 8, random() < 1 / 30]
      if (random() < 0.7) await Bun.sleep(wait)
      if (fails) throw new GatewayError(503, 'service_unavailable', 'store_unavailable', 'not now', { headers: { 'retry-after': '1' } })
      return decide(...args)
    }
  }
  const late = <Args extends readonly unknown[], R>(work: (...args: Args) => R | Promise<R>) => {
    return async (...args: Args): Promise<R> => {
      await Bun.sleep(random() * 8)
      return work(...args)
    }
  }
  Object.assign(ledger, { reserve: slow(ledger.reserve), settle: late(ledger.settle) })
  Object.assign(store, { take: slow(store.take), giveBack: late(store.giveBack) })
  Object.assign(leases, { take: slow(leases.take) })
}
