/** Long proofs of limits over several instances: run by `npm run test:long`. */
import { expect, test } from 'bun:test'
import { fakeOpenai } from '../../core/testing/fake-openai.ts'
import { redisMissing, startRedis } from '../../core/testing/redis.ts'
import { startFleet } from './testing/fleet.ts'
import { placesHold, rateHolds, revokedAfterMs } from './testing/fleet-proofs.ts'
import { loseRedis } from './testing/redis-loss.ts'

const times = 20

test.skipIf(redisMissing)(
  'two processes share limits and keys, 20 times in a row',
  async () => {
    let slowest = 0
    for (let time = 0; time < times; time++) {
      await using redis = await startRedis()
      await using upstream = await fakeOpenai({})
      await using fleet = await startFleet(redis, upstream, 'deny')
      expect([time, await rateHolds(fleet, 3000)]).toEqual([time, []])
      expect([time, await placesHold(fleet, upstream)]).toEqual([time, []])
      const revoked = await revokedAfterMs(fleet)
      expect(revoked).toBeLessThan(1000)
      slowest = Math.max(slowest, revoked)
    }
    console.log(`${times} times; a revoked key was let in for ${slowest.toFixed(0)} ms at most`)
  },
  600_000,
)

test.skipIf(redisMissing).each(['local', 'deny'] as const)(
  'Redis is killed and frozen 20 times under load (on_error: %s)',
  async onError => {
    await using redis = await startRedis()
    await using upstream = await fakeOpenai({})
    await using fleet = await startFleet(redis, upstream, onError)
    const { answers, slowestMs, wrong } = await loseRedis(fleet, redis, upstream, times)
    console.log(`on_error ${onError}: answers ${JSON.stringify(answers)}, the slowest took ${slowestMs.toFixed(0)} ms`)
    expect(wrong).toEqual([])
    expect(slowestMs).toBeLessThan(500)
    expect(Object.keys(answers)).toEqual(onError === 'deny' ? ['200', '503'] : ['200'])
  },
  600_000,
)
