import { describe, expect, test } from 'bun:test'
import type { Account, Balance, Ledger, Period, Reservation } from '../ledger.ts'

/** A ledger for the suite, with a clock that can be moved. */
export interface LedgerUnderTest extends AsyncDisposable {
  readonly ledger: Ledger
  now: number
}

/** What every ledger must do. Call it from its own test file; each opening has nothing spent. */
export function testLedger(name: string, open: (now: number) => Promise<LedgerUnderTest>): void {
  const noon = Date.UTC(2026, 0, 31, 12)
  const account = (limit: number | null, period: Period = 'total', keyId = 1): Account => ({ keyId, period, limit })
  const reserve = async ({ ledger }: LedgerUnderTest, of: Account, tokens: number, estimate = 1): Promise<Reservation> => {
    const grant = await ledger.reserve(of, { tokens, estimate })
    if (!grant.granted) throw new Error(`refused: ${JSON.stringify(grant.balance)}`)
    return grant.reservation
  }
  const refused = async ({ ledger }: LedgerUnderTest, of: Account, tokens: number): Promise<Balance> => {
    const grant = await ledger.reserve(of, { tokens, estimate: 1 })
    if (grant.granted) throw new Error('granted')
    return grant.balance
  }

  describe(`${name} keeps the contract of ledgers`, () => {
    test('what is reserved is set aside, what is settled is used, and the rest comes back', async () => {
      await using opened = await open(noon)
      const { ledger } = opened
      const one = account(1000)
      expect(await ledger.balance(one)).toEqual({ limit: 1000, used: 0, reserved: 0, remaining: 1000, resetAt: null })
      const first = await reserve(opened, one, 600)
      expect(first).toMatchObject({ keyId: 1, tokens: 600 })
      expect(await ledger.balance(one)).toMatchObject({ used: 0, reserved: 600, remaining: 400 })
      expect(await refused(opened, one, 401)).toEqual({ limit: 1000, used: 0, reserved: 600, remaining: 400, resetAt: null })
      const second = await reserve(opened, one, 400)
      await ledger.settle(first, 250)
      expect(await ledger.balance(one)).toMatchObject({ used: 250, reserved: 400, remaining: 350 })
      ledger.release(second)
      expect(await ledger.balance(one)).toMatchObject({ used: 250, reserved: 0, remaining: 750 })
      expect(await refused(opened, one, 751)).toMatchObject({ remaining: 750 })
      await ledger.settle(await reserve(opened, one, 750), 750)
      expect(await refused(opened, one, 1)).toMatchObject({ used: 1000, remaining: 0 })
    })

    test('over is over: to settle or release again changes nothing', async () => {
      await using opened = await open(noon)
      const { ledger } = opened
      const one = account(100)
      const first = await reserve(opened, one, 60)
      await ledger.settle(first, 50)
      await ledger.settle(first, 50)
      ledger.release(first)
      const second = await reserve(opened, one, 40)
      ledger.release(second)
      await ledger.settle(second, 40)
      ledger.release(second)
      expect(await ledger.balance(one)).toMatchObject({ used: 50, reserved: 0, remaining: 50 })
      expect((async () => ledger.extend(first, { tokens: 1, estimate: 1 }))()).rejects.toThrow('is over')
    })

    test('usage beyond the reservation is charged and blocks the next request', async () => {
      await using opened = await open(noon)
      const one = account(100)
      await opened.ledger.settle(await reserve(opened, one, 40), 130)
      expect(await refused(opened, one, 1)).toMatchObject({ used: 130, reserved: 0, remaining: 0 })
      expect((await opened.ledger.reserve(one, { tokens: 0, estimate: 0 })).granted).toBe(false)
      expect((await opened.ledger.reserve(account(140), { tokens: 10, estimate: 1 })).granted).toBe(true) // an admin has raised it
    })

    test('extending sets more aside when there is room, and less in any case', async () => {
      await using opened = await open(noon)
      const { ledger } = opened
      const one = account(100)
      const first = await reserve(opened, one, 30)
      const other = await reserve(opened, one, 30)
      expect(await ledger.extend(first, { tokens: 70, estimate: 5 })).toMatchObject({ granted: true, reservation: { tokens: 70 } })
      expect(await ledger.extend(first, { tokens: 71, estimate: 5 })).toEqual({
        granted: false,
        balance: { limit: 100, used: 0, reserved: 100, remaining: 0, resetAt: null },
      })
      expect(await ledger.extend(first, { tokens: 10, estimate: 5 })).toMatchObject({ granted: true, reservation: { tokens: 10 } })
      expect(await ledger.balance(one)).toMatchObject({ reserved: 40, remaining: 60 })
      await ledger.settle(other, 90) // an overrun: less is still granted
      expect(await ledger.extend(first, { tokens: 9, estimate: 5 })).toMatchObject({ granted: true })
      expect(await ledger.extend(first, { tokens: 20, estimate: 5 })).toMatchObject({ granted: false })
      await ledger.settle(first, 3)
      expect(await ledger.balance(one)).toMatchObject({ used: 93, reserved: 0 })
    })

    test('null is no limit and is counted all the same; 0 is nothing', async () => {
      await using opened = await open(noon)
      const { ledger } = opened
      const first = await reserve(opened, account(null), 1_000_000_000)
      await ledger.settle(first, 123_456_789)
      expect(await ledger.balance(account(null))).toEqual({ limit: null, used: 123_456_789, reserved: 0, remaining: null, resetAt: null })
      expect(await refused(opened, account(0), 1)).toMatchObject({ limit: 0, used: 123_456_789, remaining: 0 })
      expect(await refused(opened, account(0, 'total', 2), 1)).toMatchObject({ limit: 0, used: 0, remaining: 0 })
    })

    test('keys are apart', async () => {
      await using opened = await open(noon)
      await opened.ledger.settle(await reserve(opened, account(10), 10), 10)
      expect(await opened.ledger.balance(account(10, 'total', 2))).toMatchObject({ used: 0, remaining: 10 })
      await reserve(opened, account(10, 'total', 2), 10)
    })

    test('nonsense is counted as nothing, fractions as whole', async () => {
      await using opened = await open(noon)
      const { ledger } = opened
      const one = account(100)
      for (const nonsense of [Number.NaN, -5, Number.NEGATIVE_INFINITY]) await ledger.settle(await reserve(opened, one, 5), nonsense)
      expect(await ledger.balance(one)).toMatchObject({ used: 0, reserved: 0 })
      await ledger.settle(await reserve(opened, one, 2.5), 1.2)
      expect(await ledger.balance(one)).toMatchObject({ used: 2, reserved: 0 })
      expect(await refused(opened, one, Number.POSITIVE_INFINITY)).toMatchObject({ used: 2 })
      await ledger.settle(await reserve(opened, one, 1), 1e300)
      expect(await ledger.balance(one)).toMatchObject({ used: 2 ** 40 + 2, remaining: 0 })
    })

    test('a day and a month begin anew at midnight UTC, and say when', async () => {
      await using opened = await open(noon)
      const { ledger } = opened
      const [day, month, total] = [account(100, 'day'), account(1000, 'month'), account(9999)]
      await ledger.settle(await reserve(opened, day, 100), 100)
      expect(await refused(opened, day, 1)).toEqual({ limit: 100, used: 100, reserved: 0, remaining: 0, resetAt: Date.UTC(2026, 1, 1) })
      expect(await ledger.balance(month)).toMatchObject({ used: 100, remaining: 900, resetAt: Date.UTC(2026, 1, 1) })
      opened.now = Date.UTC(2026, 1, 1) - 1
      expect(await refused(opened, day, 1)).toMatchObject({ used: 100 })
      opened.now = Date.UTC(2026, 1, 1)
      expect(await ledger.balance(day)).toEqual({ limit: 100, used: 0, reserved: 0, remaining: 100, resetAt: Date.UTC(2026, 1, 2) })
      expect(await ledger.balance(month)).toMatchObject({ used: 0, resetAt: Date.UTC(2026, 2, 1) })
      expect(await ledger.balance(total)).toMatchObject({ used: 100 })
      await ledger.settle(await reserve(opened, day, 60), 60)
      opened.now = Date.UTC(2026, 1, 28, 23)
      expect(await ledger.balance(day)).toMatchObject({ used: 0 })
      expect(await ledger.balance(month)).toMatchObject({ used: 60 })
      expect(await ledger.balance(total)).toMatchObject({ used: 160 })
    })

    test('a request counts in the period in which it was reserved', async () => {
      await using opened = await open(Date.UTC(2026, 0, 31, 23, 59))
      const { ledger } = opened
      const [day, month, total] = [account(100, 'day'), account(1000, 'month'), account(9999)]
      const late = await reserve(opened, day, 90)
      opened.now = Date.UTC(2026, 1, 1, 0, 1)
      expect(await ledger.balance(day)).toMatchObject({ used: 0, reserved: 0, remaining: 100 })
      expect(await ledger.balance(total)).toMatchObject({ reserved: 90 })
      const early = await reserve(opened, day, 100)
      expect(await ledger.extend(late, { tokens: 100, estimate: 1 })).toMatchObject({ granted: true }) // there is room yesterday
      expect(await ledger.extend(late, { tokens: 101, estimate: 1 })).toMatchObject({ granted: false })
      await ledger.settle(late, 70)
      await ledger.settle(early, 20)
      expect(await ledger.balance(day)).toMatchObject({ used: 20, reserved: 0 })
      expect(await ledger.balance(month)).toMatchObject({ used: 20, reserved: 0 })
      expect(await ledger.balance(total)).toMatchObject({ used: 90, reserved: 0 })
      opened.now = Date.UTC(2026, 0, 31, 23, 59) // a clock that is set back
      expect(await ledger.balance(day)).toMatchObject({ used: 70 })
    })

    test('the period of a key may change while requests run', async () => {
      await using opened = await open(noon)
      const { ledger } = opened
      await ledger.settle(await reserve(opened, account(100, 'day'), 30), 30)
      const open1 = await reserve(opened, account(100, 'day'), 50)
      opened.now += 86_400_000
      const open2 = await reserve(opened, account(500, 'month'), 200)
      expect(await ledger.balance(account(1000, 'total'))).toMatchObject({ used: 30, reserved: 250 })
      await ledger.settle(open1, 40)
      await ledger.settle(open2, 100)
      expect(await ledger.balance(account(1000, 'total'))).toMatchObject({ used: 170, reserved: 0 })
      expect(await ledger.balance(account(1000, 'month'))).toMatchObject({ used: 100, reserved: 0 })
      expect(await ledger.balance(account(1000, 'day'))).toMatchObject({ used: 100, reserved: 0 })
    })

    test('of 1000 at once exactly those pass that fit, and the rest after they were released', async () => {
      await using opened = await open(noon)
      const { ledger } = opened
      const one = account(12_345, 'day')
      const grants = await Promise.all(Array.from({ length: 1000 }, async () => ledger.reserve(one, { tokens: 100, estimate: 10 })))
      const passed = grants.flatMap(grant => (grant.granted ? [grant.reservation] : []))
      expect(passed).toHaveLength(123)
      await Promise.all(passed.map((reservation, at) => (at % 2 ? ledger.settle(reservation, 100) : ledger.release(reservation))))
      expect(await ledger.balance(one)).toMatchObject({ used: 6100, reserved: 0 })
      const more = await Promise.all(Array.from({ length: 1000 }, async () => ledger.reserve(one, { tokens: 7, estimate: 1 })))
      expect(more.filter(({ granted }) => granted)).toHaveLength(Math.floor((12_345 - 6100) / 7))
    })
  })
}
