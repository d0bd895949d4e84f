import { expect, test } from 'bun:test'
import { fakeOpenai } from '../../core/testing/fake-openai.ts'
import { redisMissing, startRedis } from '../../core/testing/redis.ts'
import { crash } from './testing/crash.ts'

test('after kill -9 under load every answer that a client received whole is paid, and nothing stays reserved', async () => {
  await using upstream = await fakeOpenai({})
  const report = await crash(upstream, 2, 1)
  expect(report.wrong).toEqual([])
  expect(report.whole).toBeGreaterThan(20)
  expect(report.cut).toBeGreaterThan(20)
}, 60_000)

test.skipIf(redisMissing)(
  'the same with Redis',
  async () => {
    await using upstream = await fakeOpenai({})
    await using redis = await startRedis()
    const report = await crash(upstream, 2, 2, redis.url)
    expect(report.wrong).toEqual([])
    expect(report.whole).toBeGreaterThan(20)
  },
  60_000,
)
