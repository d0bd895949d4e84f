import { describe, expect, test } from 'bun:test'
import { redisMissing, startRedis } from '../../testing/redis.ts'
import { walkShared } from './testing/walk-shared.ts'

describe.skipIf(redisMissing)('random changes of three instances end in agreement', () => {
  test.each([1, 2])(
    'with losses of connections and instances (%d)',
    async seed => {
      await using server = await startRedis()
      const { done } = await walkShared(server, seed, 60, ['cut', 'freeze', 'shut', 'kill instance', 'script flush'])
      expect(done).toBeGreaterThan(30)
    },
    60_000,
  )

  test.each([1, 2])(
    'with losses of what Redis knows (%d)',
    async seed => {
      await using server = await startRedis()
      const { done } = await walkShared(server, seed, 60, ['cut', 'shut', 'kill instance', 'snapshot', 'restart', 'flush'])
      expect(done).toBeGreaterThan(30)
    },
    60_000,
  )
})
