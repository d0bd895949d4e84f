import { GatewayError } from '../../../errors.ts'
import type { Account, Reservation } from '../../../records/ledger.ts'
import type { Instance } from './open-instance.ts'

/** What a storm of requests saw. */
export interface StormReport {
  readonly granted: number
  readonly refused: number
  /** 503s. */
  readonly denied: number
  /** Tokens that were settled, and the most that was settled and reserved at any time. */
  readonly settled: number
  readonly most: number
  /** Milliseconds of the slowest call. */
  readonly slowest: number
  readonly errors: readonly unknown[]
}

export interface Storm {
  readonly instances: readonly Instance[]
  readonly account: Account
  /** Requests at a time. */
  readonly ways: number
  readonly stopped: Promise<unknown>
  /** Part of the requests that need more, and that fail; the rest uses up to what was reserved. */
  readonly extending?: number
  readonly failing?: number
}

const random = (most: number) => 1 + Math.floor(Math.random() * most)

/** Requests to several instances at once, until `stopped` resolves; then they come to their ends. */
export async function storm({ instances, account, ways, stopped, extending = 0.2, failing = 0.3 }: Storm): Promise<StormReport> {
  const report = { granted: 0, refused: 0, denied: 0, settled: 0, most: 0, slowest: 0, errors: [] as unknown[] }
  let open = 0
  let going = true
  void stopped.finally(() => {
    going = false
  })
  const timed = async <T>(work: () => T): Promise<Awaited<T>> => {
    const from = performance.now()
    try {
      return await work()
    } finally {
      report.slowest = Math.max(report.slowest, performance.now() - from)
    }
  }
  const note = () => {
    report.most = Math.max(report.most, report.settled + open)
  }
  const request = async ({ ledger }: Instance) => {
    let reservation: Reservation | undefined
    try {
      const tokens = random(100)
      const grant = await timed(() => ledger.reserve(account, { tokens, estimate: 1 + (tokens >> 2) }))
      if (!grant.granted) return void report.refused++
      report.granted++
      reservation = grant.reservation
      open += tokens
      note()
      await Bun.sleep(random(4))
      const held = reservation
      if (Math.random() < extending) {
        const more = await timed(() => ledger.extend(held, { tokens: tokens + random(100), estimate: random(20) }))
        if (more.granted) {
          open += more.reservation.tokens - held.tokens
          reservation = more.reservation
          note()
        }
      }
    } catch (error) {
      if (error instanceof GatewayError && error.status === 503) report.denied++
      else report.errors.push(error)
    }
    if (!reservation) return
    open -= reservation.tokens
    if (Math.random() < failing) return ledger.release(reservation)
    const used = random(reservation.tokens)
    report.settled += used
    const over = reservation
    await timed(() => ledger.settle(over, used))
  }
  const walk = async (_: unknown, at: number) => {
    while (going) {
      await request(instances[at % instances.length] as Instance)
      await Bun.sleep(1)
    }
  }
  await Promise.all(Array.from({ length: ways }, walk))
  return report
}
