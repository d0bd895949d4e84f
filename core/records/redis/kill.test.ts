import { describe, expect, test } from 'bun:test'
import { redisMissing, startRedis } from '../../testing/redis.ts'
import { killWriters } from './testing/kill-writers.ts'

describe.skipIf(redisMissing)('instances that are killed', () => {
  test('have made what they said, and each change is in one audit, once', async () => {
    await using server = await startRedis()
    expect(await killWriters(server.url, 3)).toBeGreaterThan(100)
  }, 60_000)
})
