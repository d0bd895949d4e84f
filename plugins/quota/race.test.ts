import { describe, expect, test } from 'bun:test'
import { fakeOpenai } from '../../core/testing/fake-openai.ts'
import { allSettled, balanceOf, chatWith, comesTrue } from '../../core/testing/keyed.ts'
import { makeKey, makeKeyFor } from '../../core/testing/managed-key.ts'
import { openHouse } from '../../core/testing/open-house.ts'
import { redisMissing, startRedis } from '../../core/testing/redis.ts'
import { faultsOf, race } from './testing/race.ts'

const at = (url: string, more: object = {}) => ({
  backends: { up: { type: 'openai-compatible', base_url: url } },
  default_backend: 'up',
  router: { retries: 0 },
  ...more,
})

describe('of a thousand at once, while the upstream holds every answer', () => {
  test('exactly those that fit pass, and the quota holds', async () => {
    await using upstream = await fakeOpenai({})
    await using house = await openHouse({ yaml: at(upstream.url) })
    const key = await makeKey(house, { quota: 9000 })
    const first = await race([house], upstream, key, 9000, 1000)
    expect(faultsOf(first, 9000)).toEqual([])
    expect(first.passed).toBeWithin(80, 110)
    // and what is left can be spent, too
    const second = await race([house], upstream, key, 9000, 300)
    expect(faultsOf(second, 9000 - first.used)).toEqual([])
  }, 120_000)

  test('the same with a cache in between, whose requests all differ', async () => {
    await using upstream = await fakeOpenai({})
    await using house = await openHouse({ yaml: at(upstream.url, { cache: { mode: 'all' } }) })
    const key = await makeKey(house, { quota: 3000 })
    expect(faultsOf(await race([house], upstream, key, 3000, 500), 3000)).toEqual([])
  }, 120_000)

  test('and are the same: one pays, and all pass', async () => {
    await using upstream = await fakeOpenai({})
    await using house = await openHouse({ yaml: at(upstream.url, { cache: { mode: 'all' } }) })
    const key = await makeKey(house, { quota: 100 }) // no room for two
    // fetch in a test has 256 connections, whatever the environment says
    const answers = Array.from({ length: 200 }, (_, at) => chatWith(house, key, { model: 'hold', stream: at % 2 === 0 }))
    await comesTrue(() => upstream.requests.length === 1 && house.serving.gateway.exchanges.list().length === 200, 'all wait')
    upstream.release()
    const responses = await Promise.all(answers)
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(200)
    const bodies = await Promise.all(responses.map(response => response.text()))
    expect(new Set(bodies.map(body => body.match(/n=\d+|"n="/)?.[0])).size).toBeLessThanOrEqual(2)
    expect(upstream.requests).toHaveLength(1)
    expect(await allSettled(house, key)).toMatchObject({ used: 18 })
  }, 60_000)

  test('and those that share are refused together when the first cannot pay, each for itself', async () => {
    await using upstream = await fakeOpenai({})
    await using house = await openHouse({ yaml: at(upstream.url, { cache: { mode: 'all' } }) })
    const poor = await makeKey(house, { quota: 20, cacheScope: 'all' })
    const rich = await makeKey(house, { quota: 100_000, cacheScope: 'all' })
    const answers = Array.from({ length: 40 }, (_, at) =>
      chatWith(house, at % 2 === 0 ? poor : rich, { model: 'hold' }).then(({ status }) => status),
    )
    await upstream.until(() => upstream.requests.length === 1, 'the first that can pay is there')
    await comesTrue(() => house.serving.gateway.exchanges.list().length >= 20, 'all are decided')
    upstream.release()
    const statuses = await Promise.all(answers)
    expect(statuses.filter((_, at) => at % 2 === 1)).toEqual(Array(20).fill(200))
    expect(upstream.requests).toHaveLength(1)
    expect((await allSettled(house, rich)).used).toBe(18)
    expect((await balanceOf(house, poor)).used).toBe(0)
  }, 60_000)
})

test.skipIf(redisMissing)(
  'over two instances and one Redis, exactly those that fit pass',
  async () => {
    await using redis = await startRedis()
    await using upstream = await fakeOpenai({})
    const yaml = at(upstream.url, { redis: { url: redis.url, on_error: 'deny' } })
    await using one = await openHouse({ yaml })
    await using other = await openHouse({ yaml })
    const key = await makeKeyFor([one, other], { quota: 6000 })
    const first = await race([one, other], upstream, key, 6000, 1000)
    expect(faultsOf(first, 6000)).toEqual([])
    expect(await balanceOf(other, key, 6000)).toMatchObject({ used: first.used, reserved: 0 })
    expect(faultsOf(await race([other, one], upstream, key, 6000, 300), 6000 - first.used)).toEqual([])
  },
  120_000,
)
