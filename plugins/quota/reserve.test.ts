import { expect, test } from 'bun:test'
import type { Account } from '../../core/records/ledger.ts'
import { fakeOpenai } from '../../core/testing/fake-openai.ts'
import { allSettled, balanceOf, chatWith } from '../../core/testing/keyed.ts'
import { makeKey } from '../../core/testing/managed-key.ts'
import { type House, openHouse } from '../../core/testing/open-house.ts'

const yaml = { backends: { up: { type: 'echo' } } }

/** Puts the ledger elsewhere: it answers later, and counts how often it is asked what. */
function moveAway({ serving }: House) {
  const { ledger } = serving.gateway
  const { balance, reserve } = ledger
  const asked = { balance: 0, reserve: 0 }
  const later = <Args extends readonly unknown[], R>(name: keyof typeof asked, decide: (...args: Args) => R | Promise<R>) => {
    return async (...args: Args): Promise<R> => {
      asked[name]++
      await Bun.sleep(1)
      return decide(...args)
    }
  }
  Object.assign(ledger, { balance: later('balance', balance), reserve: later('reserve', reserve) })
  return { asked, balance: (account: Account) => balance(account), reserve }
}

test('a key far from its end asks a ledger that is elsewhere once for each request', async () => {
  await using house = await openHouse({ yaml })
  const key = await makeKey(house, { quota: 10_000_000 })
  const { asked } = moveAway(house)
  const from = performance.now()
  for (let i = 0; i < 50; i++) expect((await chatWith(house, key)).status).toBe(200)
  const seconds = (performance.now() - from) / 1000
  expect(asked.reserve).toBe(50)
  expect(asked.balance).toBeLessThanOrEqual(1 + Math.floor(seconds)) // it is asked anew once a second
})

test('and when others have spent it meanwhile, its last tokens can be spent, and no more', async () => {
  await using house = await openHouse({ yaml })
  const quota = 100_000
  const key = await makeKey(house, { quota, tokensPerMinute: 1_000_000 })
  const away = moveAway(house)
  expect((await chatWith(house, key)).status).toBe(200)
  await allSettled(house, key)
  // another instance takes all but 150 tokens, and this one has not heard of it: by its bound a request is more
  const account: Account = { keyId: key.id, period: 'total', limit: quota }
  const { remaining } = await away.balance(account)
  const other = await away.reserve(account, { tokens: (remaining as number) - 150, estimate: 1 })
  if (!other.granted) throw new Error('there is room')
  const before = { ...away.asked }
  const response = await chatWith(house, key, { max_tokens: 10 })
  expect(response.status).toBe(200)
  expect(away.asked).toEqual({ balance: before.balance, reserve: before.reserve + 2 }) // refused by its bound, granted by its count
  await response.text()
  expect((await chatWith(house, key, { max_tokens: 200 })).status).toBe(429)
  const { used, reserved } = await balanceOf(house, key, quota)
  expect(used + reserved).toBeLessThanOrEqual(quota)
  await house.serving.gateway.ledger.settle(other.reservation, 1)
  const { used: spent } = await allSettled(house, key)
  // what the bound took of the minute was given back
  const minute = await house.serving.gateway.store.giveBack(`tokens:${key.id}`, { perMinute: 1_000_000, burst: 1_000_000 }, 0)
  expect(1_000_000 - (minute?.remaining ?? 0)).toBeLessThanOrEqual(spent)
})

test('an answer that nobody limits is shortened to what is left, also after its bound was refused', async () => {
  await using upstream = await fakeOpenai({})
  await using house = await openHouse({ yaml: { backends: { up: { type: 'openai-compatible', base_url: upstream.url } } } })
  const quota = 1_000_000
  const key = await makeKey(house, { quota })
  const away = moveAway(house)
  const unlimited = { max_tokens: undefined }
  expect((await chatWith(house, key, unlimited)).status).toBe(200)
  await allSettled(house, key)
  const account: Account = { keyId: key.id, period: 'total', limit: quota }
  const { remaining } = await away.balance(account)
  const other = await away.reserve(account, { tokens: (remaining as number) - 500, estimate: 1 })
  if (!other.granted) throw new Error('there is room')
  const response = await chatWith(house, key, unlimited)
  expect(response.status).toBe(200)
  await response.text()
  const [, second] = upstream.requests
  const sent = second?.json as { max_tokens: number } | undefined
  expect(sent?.max_tokens).toBeWithin(400, 500)
  await house.serving.gateway.ledger.settle(other.reservation, 1)
  await allSettled(house, key)
})
