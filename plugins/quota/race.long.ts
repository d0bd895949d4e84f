/** Long proofs of quotas under parallel requests and crashes: run by `npm run test:long`. */
import { expect, test } from 'bun:test'
import { fakeOpenai } from '../../core/testing/fake-openai.ts'
import { balanceOf } from '../../core/testing/keyed.ts'
import { makeKey, makeKeyFor } from '../../core/testing/managed-key.ts'
import { openHouse } from '../../core/testing/open-house.ts'
import { redisMissing, startRedis } from '../../core/testing/redis.ts'
import { type CrashReport, crash } from './testing/crash.ts'
import { faultsOf, race } from './testing/race.ts'

const times = 20
const at = (url: string, more: object = {}) => ({
  backends: { up: { type: 'openai-compatible', base_url: url } },
  default_backend: 'up',
  router: { retries: 0 },
  ...more,
})

test('of a thousand at once exactly those that fit pass, 20 times in a row', async () => {
  for (let time = 0; time < times; time++) {
    await using upstream = await fakeOpenai({})
    await using house = await openHouse({ yaml: at(upstream.url) })
    const key = await makeKey(house, { quota: 9000 })
    expect([time, faultsOf(await race([house], upstream, key, 9000, 1000), 9000)]).toEqual([time, []])
  }
}, 600_000)

test.skipIf(redisMissing)(
  'and over two instances and one Redis, 20 times in a row',
  async () => {
    for (let time = 0; time < times; time++) {
      await using redis = await startRedis()
      await using upstream = await fakeOpenai({})
      const yaml = at(upstream.url, { redis: { url: redis.url, on_error: 'deny' } })
      await using one = await openHouse({ yaml })
      await using other = await openHouse({ yaml })
      const key = await makeKeyFor([one, other], { quota: 6000 })
      const report = await race([one, other], upstream, key, 6000, 1000)
      expect([time, faultsOf(report, 6000)]).toEqual([time, []])
      expect(await balanceOf(other, key, 6000)).toMatchObject({ used: report.used, reserved: 0 })
    }
  },
  600_000,
)

const told = ({ rounds, whole, cut, refused, leftOpen }: CrashReport) =>
  `${rounds} kills: ${whole} answers received whole, ${cut} cut off, ${refused} refused, ${leftOpen} found open at the next start`

test('kill -9 under load, 20 times: all that was received whole is paid, and nothing stays reserved', async () => {
  await using upstream = await fakeOpenai({})
  const report = await crash(upstream, times, 100)
  console.log(told(report))
  expect(report.wrong).toEqual([])
  expect(report.whole).toBeGreaterThan(times * 10)
  expect(report.cut).toBeGreaterThan(times * 10)
}, 600_000)

test.skipIf(redisMissing)(
  'the same with Redis',
  async () => {
    await using upstream = await fakeOpenai({})
    await using redis = await startRedis()
    const report = await crash(upstream, times, 200, redis.url)
    console.log(told(report))
    expect(report.wrong).toEqual([])
    expect(report.whole).toBeGreaterThan(times * 10)
  },
  600_000,
)
