import { expect } from 'bun:test'
import { seededRandom } from '../../../testing/random.ts'
import type { Account, Period, Reservation } from '../../ledger.ts'
import { ledgerModel, type ModelRequest } from './model.ts'
import { copyAsCrashed, ledgerFolder, openAlone, openLedgerDatabase } from './open-ledger.ts'

interface OpenRow {
  readonly id: number
  readonly estimate: number
}

/**
 * Random steps on a ledger and on the model of one, which must agree after each: requests of all kinds, keys that change
 * their period and limit, days that pass, and processes that are killed and started again.
 */
export async function walkLedger(seed: number, steps: number): Promise<{ readonly crashes: number; readonly refusals: number }> {
  const random = seededRandom(seed)
  const below = (most: number) => Math.floor(random() * most)
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T
  using folder = ledgerFolder()
  const model = ledgerModel()
  const known = new Map<ModelRequest, Reservation>()
  const estimates = new Map<ModelRequest, number[]>()
  const over: Reservation[] = []
  let now = Date.UTC(2026, 0, 29, 20)
  let crashes = 0
  let refusals = 0
  let path = `${folder.path}/0.db`

  const start = () => openAlone(path, { now: () => now, writeAfterMs: pick([0, 0, 5]) })
  let { ledger, lines, close } = start()

  const anyAccount = (): Account => ({
    keyId: 1 + below(3),
    period: pick<Period>(['total', 'day', 'month']),
    limit: pick([null, 0, 500, 2000, 5000, 100_000]),
  })
  const anyBounds = () => ({ tokens: below(400), estimate: below(50) })

  const crash = async (tidy: boolean) => {
    crashes++
    if (tidy) close()
    const next = `${folder.path}/${crashes}.db`
    copyAsCrashed(path, next)
    if (!tidy) close() // what it writes now is not in the copy
    path = next
    const left = openLedgerDatabase(path)
    const rows = left.query<OpenRow, []>('SELECT id, estimate FROM ledger_open').all()
    left.close(true)
    const byId = new Map([...known].map(([request, { id }]) => [id, request]))
    for (const { id, estimate } of rows) {
      const request = byId.get(id)
      if (!request) throw new Error(`row ${id} is of nobody`)
      if (tidy) expect(estimate).toBe(request.bounds.estimate)
      else expect(estimates.get(request)).toContain(estimate) // an extension may not be written yet
      model.settle(request, estimate)
    }
    if (tidy) expect(model.open.size).toBe(0)
    for (const request of [...model.open]) model.release(request) // too young to be known
    known.clear()
    over.length = 0
    ;({ ledger, lines, close } = start())
    const tokens = rows.reduce((sum, { estimate }) => sum + estimate, 0)
    expect(lines).toEqual(rows.length === 0 ? [] : [expect.objectContaining({ level: 'warn', requests: rows.length, tokens })])
  }

  for (let step = 0; step < steps; step++) {
    const [request, reservation] = pick([...known]) ?? []
    const kind = random()
    if (kind < 0.45 || !request || !reservation) {
      const [account, bounds] = [anyAccount(), anyBounds()]
      const grant = await ledger.reserve(account, bounds)
      const expected = model.reserve(account, now, bounds)
      expect(grant.granted).toBe(expected !== undefined)
      if (grant.granted && expected) {
        known.set(expected, grant.reservation)
        estimates.set(expected, [bounds.estimate])
      } else if (!grant.granted) expect(grant.balance).toEqual(model.balance(account, now))
      if (!grant.granted) refusals++
    } else if (kind < 0.55) {
      const bounds = anyBounds()
      const grant = await ledger.extend(reservation, bounds)
      expect(grant.granted).toBe(model.extend(request, bounds))
      if (grant.granted) estimates.get(request)?.push(bounds.estimate)
      if (grant.granted && random() < 0.5) known.set(request, grant.reservation)
    } else if (kind < 0.8) {
      const tokens = below(500)
      model.settle(request, tokens)
      known.delete(request)
      over.push(reservation)
      await ledger.settle(reservation, tokens)
    } else if (kind < 0.9) {
      model.release(request)
      known.delete(request)
      over.push(reservation)
      ledger.release(reservation)
      await new Promise<void>(setImmediate) // or its row may be found after a crash
    } else if (kind < 0.92 && over.length > 0) await ledger.settle(pick(over), 100)
    else if (kind < 0.95) now += below(40 * 3_600_000)
    else if (kind < 0.955) now -= below(30 * 3_600_000)
    else if (kind < 0.98) await Bun.sleep(1)
    else if (kind < 0.99) await crash(random() < 0.3)
    const account = anyAccount()
    expect(await ledger.balance(account)).toEqual(model.balance(account, now))
  }
  close()
  return { crashes, refusals }
}
