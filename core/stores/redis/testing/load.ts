import { GatewayError } from '../../../errors.ts'
import type { Store } from '../../store.ts'

/** What a load saw. */
export interface LoadReport {
  readonly calls: number
  readonly hits: number
  readonly misses: number
  /** Takes that were allowed and refused by a bucket. */
  readonly allowed: number
  readonly limited: number
  /** 503s of a store that shall refuse. */
  readonly denied: number
  /** Everything else that was thrown. */
  readonly errors: readonly unknown[]
  /** Milliseconds of single calls. */
  readonly p50: number
  readonly p99: number
  readonly max: number
  /** Calls that took longer than 200 ms. */
  readonly slow: number
}

const value = new Uint8Array(2048).fill(7)

/** Reads, writes and takes, `ways` at a time, until `stopped` resolves. */
export async function mixedLoad(store: Store, ways: number, stopped: Promise<unknown>): Promise<LoadReport> {
  const times: number[] = []
  const errors: unknown[] = []
  const count = { hits: 0, misses: 0, allowed: 0, limited: 0, denied: 0 }
  let going = true
  void stopped.finally(() => {
    going = false
  })

  const step = async (random: number) => {
    const key = `load:${Math.floor(random * 1e6) % 100}`
    if (random < 0.5) count[(await store.get(key)) === null ? 'misses' : 'hits']++
    else if (random < 0.9) count[(await store.take(key, { perMinute: 600, burst: 20 })).allowed ? 'allowed' : 'limited']++
    else if (random < 0.98) await store.set(key, value, { ttlMs: 60_000 })
    else await store.add('load', 1)
  }
  const walk = async () => {
    while (going) {
      const from = performance.now()
      try {
        await step(Math.random())
      } catch (error) {
        if (error instanceof GatewayError && error.status === 503) count.denied++
        else errors.push(error)
      }
      times.push(performance.now() - from)
      await Bun.sleep(1) // answers that take no time would leave none for anything else
    }
  }
  await Promise.all(Array.from({ length: ways }, walk))

  const sorted = Float64Array.from(times).sort()
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
  const slow = times.filter(ms => ms > 200).length
  return { ...count, calls: times.length, errors, p50: at(0.5), p99: at(0.99), max: at(1), slow }
}

/** One line for people. */
export const describeLoad = ({ calls, p50, p99, max, slow, errors, ...count }: LoadReport) =>
  `${calls} calls, p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, slowest ${max.toFixed(0)} ms, ${slow} over 200 ms, ` +
  `${errors.length} errors; ${Object.entries(count)
    .map(([name, number]) => `${name} ${number}`)
    .join(', ')}`
