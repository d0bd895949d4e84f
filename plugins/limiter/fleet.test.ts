import { describe, expect, test } from 'bun:test'
import { fakeOpenai } from '../../core/testing/fake-openai.ts'
import { redisMissing, startRedis } from '../../core/testing/redis.ts'
import { startFleet } from './testing/fleet.ts'
import { placesHold, rateHolds, revokedAfterMs } from './testing/fleet-proofs.ts'
import { loseRedis } from './testing/redis-loss.ts'

describe.skipIf(redisMissing)('two processes over one Redis', () => {
  test('share requests per minute, requests at a time, and who may enter', async () => {
    await using redis = await startRedis()
    await using upstream = await fakeOpenai({})
    await using fleet = await startFleet(redis, upstream, 'deny')
    expect(await rateHolds(fleet, 2000)).toEqual([])
    expect(await placesHold(fleet, upstream)).toEqual([])
    for (let round = 0; round < 3; round++) expect(await revokedAfterMs(fleet)).toBeLessThan(1000)
  }, 60_000)
})

describe.skipIf(redisMissing)('a Redis that is killed and frozen under load', () => {
  test.each(['local', 'deny'] as const)(
    'costs nobody 500 ms, and limits are shared again (on_error: %s)',
    async onError => {
      await using redis = await startRedis()
      await using upstream = await fakeOpenai({})
      await using fleet = await startFleet(redis, upstream, onError)
      const { answers, slowestMs, wrong } = await loseRedis(fleet, redis, upstream, 2)
      expect(wrong).toEqual([])
      expect(slowestMs).toBeLessThan(500)
      expect(Object.keys(answers)).toEqual(onError === 'deny' ? ['200', '503'] : ['200'])
    },
    60_000,
  )
})
