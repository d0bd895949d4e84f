import { describe, expect, test } from 'bun:test'
import { statSync } from 'node:fs'
import type { Grant, Reservation } from '../ledger.ts'
import { testLedger } from './contract.ts'
import { killSpender } from './testing/kill-spender.ts'
import { ledgerFolder, openAlone, openLedgerDatabase } from './testing/open-ledger.ts'
import { walkLedger } from './testing/random-walk.ts'

function open(start: number) {
  const folder = ledgerFolder()
  const path = `${folder.path}/ledger.db`
  const clock = { now: start }
  const alone = openAlone(path, { now: () => clock.now })
  return Object.assign(clock, alone, {
    path,
    async [Symbol.asyncDispose]() {
      alone.close()
      folder[Symbol.dispose]()
    },
  })
}

const one = { tokens: 1, estimate: 1 }
const reservationOf = (grant: Grant): Reservation => {
  if (!grant.granted) throw new Error('refused')
  return grant.reservation
}
const comesTrue = async (check: () => boolean) => {
  const until = performance.now() + 10_000
  while (!check()) {
    if (performance.now() > until) throw new Error('never came true')
    await Bun.sleep(5)
  }
}

testLedger('sqlite', async start => open(start))

describe('the ledger in SQLite', () => {
  test('agrees with a plain model over random walks, with crashes and days that pass', async () => {
    let crashes = 0
    let refusals = 0
    for (let seed = 1; seed <= 8; seed++) {
      const walk = await walkLedger(seed, 600)
      crashes += walk.crashes
      refusals += walk.refusals
    }
    expect(crashes).toBeGreaterThan(10)
    expect(refusals).toBeGreaterThan(100)
  }, 60_000)

  test('what was settled before a SIGKILL is there, and nothing stays reserved', async () => {
    let leftOpen = 0
    for (const [at, afterMs] of [30, 120, 300].entries()) leftOpen += (await killSpender(at + 1, afterMs)).leftOpen
    expect(leftOpen).toBeGreaterThan(0)
  }, 30_000)

  test('what is settled in one turn of the event loop is one transaction', async () => {
    await using opened = open(Date.now())
    const { ledger, path } = opened
    const grants = Array.from({ length: 500 }, (_, at) => ledger.reserve({ keyId: at % 20, period: 'total', limit: null }, one))
    const before = statSync(`${path}-wal`).size
    await Promise.all(grants.map(async grant => ledger.settle(reservationOf(await grant), 1)))
    expect(statSync(`${path}-wal`).size - before).toBeLessThan(5 * 4120) // each transaction adds a page or two
    expect(opened.database.query('SELECT sum(tokens) AS tokens FROM ledger_spent').get()).toEqual({ tokens: 500 })
  })

  test('a reservation is written when it lasts, and not when it is over soon', async () => {
    await using opened = open(Date.now())
    const { ledger, database } = opened
    const rows = () => database.query<{ estimate: number }, []>('SELECT estimate FROM ledger_open').all()
    const account = { keyId: 1, period: 'total', limit: 100 } as const
    await ledger.settle(reservationOf(await ledger.reserve(account, { tokens: 10, estimate: 3 })), 4)
    expect(rows()).toEqual([])
    const lasting = reservationOf(await ledger.reserve(account, { tokens: 10, estimate: 3 }))
    await comesTrue(() => rows().length === 1)
    await ledger.extend(lasting, { tokens: 20, estimate: 8 })
    await comesTrue(() => rows()[0]?.estimate === 8)
    await ledger.settle(lasting, 9)
    expect(rows()).toEqual([])
    const failed = reservationOf(await ledger.reserve(account, { tokens: 10, estimate: 3 }))
    await comesTrue(() => rows().length === 1)
    ledger.release(failed)
    await comesTrue(() => rows().length === 0)
    expect(await ledger.balance(account)).toMatchObject({ used: 13, reserved: 0 })
  })

  test('records how much went beyond reservations', async () => {
    await using opened = open(Date.UTC(2026, 0, 2))
    const { ledger, database } = opened
    for (const tokens of [10, 25, 7]) {
      await ledger.settle(reservationOf(await ledger.reserve({ keyId: 1, period: 'day', limit: 100 }, { tokens: 10, estimate: 1 })), tokens)
    }
    expect(database.query('SELECT * FROM ledger_spent').all()).toEqual([{ key_id: 1, day: 20_455, tokens: 42, overrun: 15 }])
  })

  test('a database that cannot be written: answers go on, limits are not trusted after a second, and nothing is lost', async () => {
    await using opened = open(Date.now())
    const { ledger, path, database, lines } = opened
    const limited = { keyId: 1, period: 'total', limit: 100 } as const
    const rows = () => database.query('SELECT * FROM ledger_spent').all()
    const first = reservationOf(await ledger.reserve(limited, { tokens: 10, estimate: 1 }))
    const second = reservationOf(await ledger.reserve(limited, { tokens: 10, estimate: 1 }))
    const third = reservationOf(await ledger.reserve(limited, { tokens: 10, estimate: 1 }))
    const blocker = openLedgerDatabase(path)
    blocker.run('BEGIN IMMEDIATE')
    const from = performance.now()
    const settled = ledger.settle(first, 5)
    await Bun.sleep(100)
    expect((await ledger.reserve(limited, { tokens: 1, estimate: 1 })).granted).toBe(true) // a moment is nothing
    await settled
    expect(performance.now() - from).toBeWithin(900, 3000)
    const unavailable = expect.objectContaining({ status: 503, code: 'ledger_unavailable' })
    expect(() => ledger.reserve(limited, { tokens: 1, estimate: 1 })).toThrow(unavailable)
    expect(() => ledger.extend(second, { tokens: 11, estimate: 1 })).toThrow(unavailable)
    expect(await ledger.extend(second, { tokens: 9, estimate: 1 })).toMatchObject({ granted: true })
    expect(await ledger.reserve({ keyId: 2, period: 'total', limit: null }, { tokens: 1, estimate: 1 })).toMatchObject({ granted: true })
    await ledger.settle(second, 7)
    expect(await ledger.balance(limited)).toMatchObject({ used: 12 })
    expect(rows()).toEqual([])
    blocker.run('ROLLBACK')
    blocker.close(true)
    await ledger.settle(third, 1)
    expect(rows()).toEqual([expect.objectContaining({ key_id: 1, tokens: 13 })])
    expect((await ledger.reserve(limited, { tokens: 1, estimate: 1 })).granted).toBe(true)
    expect(lines.map(({ level }) => level)).toEqual(['error', 'info'])
  })

  test('what is open at a clean end is charged with its estimate at the next start', async () => {
    using folder = ledgerFolder()
    const path = `${folder.path}/ledger.db`
    const account = { keyId: 1, period: 'month', limit: 100 } as const
    const first = openAlone(path)
    await first.ledger.settle(reservationOf(await first.ledger.reserve(account, { tokens: 60, estimate: 1 })), 60)
    reservationOf(await first.ledger.reserve(account, { tokens: 30, estimate: 7 }))
    first.close()
    const second = openAlone(path)
    expect(await second.ledger.balance(account)).toMatchObject({ used: 67, reserved: 0, remaining: 33 })
    expect(second.lines).toEqual([expect.objectContaining({ level: 'warn', requests: 1, tokens: 7 })])
    second.close()
    const third = openAlone(path)
    expect(await third.ledger.balance(account)).toMatchObject({ used: 67, reserved: 0 })
    expect(third.lines).toEqual([])
    third.close()
  })

  test('keys that were not used for a while are forgotten, and what they spent is not', async () => {
    await using opened = open(Date.now())
    const { ledger } = opened
    const account = (keyId: number) => ({ keyId, period: 'total', limit: 100 }) as const
    const open1 = reservationOf(await ledger.reserve(account(1), { tokens: 40, estimate: 1 }))
    await Promise.all(
      Array.from({ length: 25_000 }, async (_, at) => ledger.settle(reservationOf(await ledger.reserve(account(at + 2), one)), 1)),
    )
    expect(await ledger.balance(account(1))).toMatchObject({ used: 0, reserved: 40 })
    await ledger.settle(open1, 30)
    for (const keyId of [2, 3, 12_345, 25_001]) expect(await ledger.balance(account(keyId))).toMatchObject({ used: 1, reserved: 0 })
    expect(await ledger.balance(account(1))).toMatchObject({ used: 30, reserved: 0 })
  })
})
