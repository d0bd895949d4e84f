import { describe, expect, test } from 'bun:test'
import { seededRandom } from '../../testing/random.ts'
import { noCounts, usageRow as row } from '../testing/usage-row.ts'
import { others, type UsageCounts, type UsageDimension, type UsageRow, type UsageSum, usageLimits, utcDate } from '../usage.ts'
import { admin, keySettings, type OpenRecords, storedSecret } from './under-test.ts'

const countNames = Object.keys(noCounts) as (keyof UsageCounts)[]

/** What all records must do with usage. */
export function testUsage(open: OpenRecords): void {
  const year = { from: '2026-01-01', to: '2026-12-31' }

  describe('usage', () => {
    test('a time is in its UTC day', () => {
      expect(utcDate(Date.parse('2026-01-31T23:59:59.999Z'))).toBe('2026-01-31')
      expect(utcDate(Date.parse('2026-02-01T00:30:00+01:00'))).toBe('2026-01-31')
    })

    test('rows of the same place add up, in one call and over several', async () => {
      const { records } = await open()
      const full = {
        requests: 1,
        cached: 1,
        errors: 1,
        promptTokens: 10,
        completionTokens: 20,
        latencyMs: 30,
        firstTokenMs: 4,
        firstTokens: 1,
      }
      await records.usage.add([row(full), row(full), row({ user: 'ann' })])
      await records.usage.add([row(full)])
      const sums = await records.usage.query({ ...year, by: ['day', 'keyId', 'model', 'target', 'user'] })
      const tripled = Object.fromEntries(countNames.map(name => [name, full[name] * 3]))
      expect(sums).toEqual([row(tripled), row({ user: 'ann' })])
    })

    test('fractions of milliseconds are rounded, and large numbers kept', async () => {
      const { records } = await open()
      await records.usage.add([row({ latencyMs: 1.6, firstTokenMs: 0.2, promptTokens: 2 ** 50 })])
      expect(await records.usage.query({ ...year, by: [] })).toEqual([{ ...noCounts, requests: 1, latencyMs: 2, promptTokens: 2 ** 50 }])
    })

    test('nothing used is nothing', async () => {
      const { records } = await open()
      await records.usage.add([])
      expect(await records.usage.query({ ...year, by: [] })).toEqual([])
      expect(await records.usage.query({ ...year, by: ['day'] })).toEqual([])
    })

    test('days are from and to, both included; one key alone when asked', async () => {
      const { records } = await open()
      for (const day of ['2026-01-01', '2026-01-02', '2026-01-03', '2026-01-04']) {
        await records.usage.add([row({ day, keyId: 1 }), row({ day, keyId: 2, requests: 5 })])
      }
      const days = await records.usage.query({ from: '2026-01-02', to: '2026-01-03', by: ['day'] })
      expect(days).toMatchObject([
        { day: '2026-01-02', requests: 6 },
        { day: '2026-01-03', requests: 6 },
      ])
      expect(await records.usage.query({ from: '2026-01-02', to: '2026-01-03', by: ['model'], keyId: 2 })).toMatchObject([
        { model: 'm', requests: 10 },
      ])
      expect(await records.usage.query({ ...year, by: ['keyId'] })).toMatchObject([
        { keyId: 1, requests: 4 },
        { keyId: 2, requests: 20 },
      ])
      expect(await records.usage.query({ from: '2026-01-03', to: '2026-01-02', by: [] })).toEqual([])
    })

    test('all that a backend answered is one sum, whatever its models are called', async () => {
      const { records } = await open()
      const targets = ['up/tiny', 'up-2/x', 'up/Qwen/Qwen3-32B', 'whisper', '', 'model:1/a']
      await records.usage.add(targets.map((target, at) => row({ target, model: `m${at}` })))
      const sums = await records.usage.query({ ...year, by: ['backend'] })
      expect(sums.map(({ backend, requests }) => [backend, requests])).toEqual([
        ['', 1],
        ['model:1', 1],
        ['up', 2],
        ['up-2', 1],
        ['whisper', 1],
      ])
      expect((await records.usage.query({ ...year, by: ['target'] })).map(({ target }) => target)).toEqual(targets.toSorted())
    })

    test('what a deleted key used stays', async () => {
      const { records } = await open()
      const { id } = await records.keys.create(keySettings(), storedSecret(1), admin)
      await records.usage.add([row({ keyId: id })])
      await records.keys.delete(id, admin)
      expect(await records.usage.query({ ...year, by: ['keyId'] })).toMatchObject([{ keyId: id, requests: 1 }])
    })

    test('long names are cut, broken ones mended, odd ones kept', async () => {
      const { records } = await open()
      const users = ['x'.repeat(500), `${'x'.repeat(127)}🙂`, 'a\0b', '\u{1F600}', "'; --", others]
      await records.usage.add(users.map(user => row({ user })))
      await records.usage.add(users.map(user => row({ user, model: 'y'.repeat(1000) })))
      const byUser = await records.usage.query({ ...year, by: ['user'] })
      const expected = ['x'.repeat(128), `${'x'.repeat(127)}\uFFFD`, 'a\0b', '\u{1F600}', "'; --", others]
      expect(byUser.map(({ user, requests }) => [user, requests]).sort()).toEqual(expected.map(user => [user, 2]).sort())
      expect((await records.usage.query({ ...year, by: ['model'] })).map(({ model }) => model)).toEqual(['m', 'y'.repeat(256)])
    })

    test('a caller who sends a new user each time fills no more than its share', async () => {
      const { records } = await open()
      const many = (prefix: string, keyId: number, day: string) =>
        Array.from({ length: usageLimits.users + 500 }, (_, at) => row({ user: `${prefix}${at}`, keyId, day }))
      await records.usage.add(many('a', 1, '2026-01-01'))
      await records.usage.add(many('b', 1, '2026-01-01'))
      await records.usage.add([row({ user: 'a7', day: '2026-01-01' }), row({ user: '', day: '2026-01-01' })])
      await records.usage.add([...many('a', 1, '2026-01-02'), row({ user: 'c', keyId: 2, day: '2026-01-01' })])
      const first = await records.usage.query({ from: '2026-01-01', to: '2026-01-01', by: ['user'], keyId: 1 })
      expect(first).toHaveLength(usageLimits.users + 2)
      expect(first.find(({ user }) => user === others)?.requests).toBe(500 + usageLimits.users + 500)
      expect(first.find(({ user }) => user === 'a7')?.requests).toBe(2)
      expect(first.find(({ user }) => user === '')?.requests).toBe(1)
      const second = await records.usage.query({ from: '2026-01-02', to: '2026-01-02', by: ['user'], keyId: 1 })
      expect(second).toHaveLength(usageLimits.users + 1)
      expect(await records.usage.query({ ...year, by: ['user'], keyId: 2 })).toMatchObject([{ user: 'c', requests: 1 }])
    })

    test('so does one with a new model each time, and one with both', async () => {
      const { records } = await open()
      await records.usage.add(Array.from({ length: 500 }, (_, at) => row({ model: `m${at}`, keyId: 1 })))
      const models = await records.usage.query({ ...year, by: ['model'], keyId: 1 })
      expect(models).toHaveLength(usageLimits.models + 1)
      expect(models.find(({ model }) => model === others)?.requests).toBe(500 - usageLimits.models)
      for (let user = 0; user < 200; user++) {
        await records.usage.add(Array.from({ length: 100 }, (_, at) => row({ model: `m${at}`, user: `u${user}`, keyId: 2 })))
      }
      const rows = await records.usage.query({ ...year, by: ['model', 'target', 'user'], keyId: 2 })
      expect(rows.length).toBeGreaterThanOrEqual(usageLimits.rows)
      expect(rows.length).toBeLessThanOrEqual(usageLimits.rows + usageLimits.models + 1)
      expect(rows.reduce((sum, { requests }) => sum + requests, 0)).toBe(20_000)
    })

    test.each([1, 2, 3])('random rows: sums by whatever set of dimensions are those of a plain list (%d)', async seed => {
      const { records } = await open()
      const random = seededRandom(seed)
      const below = (limit: number) => Math.floor(random() * limit)
      const all: UsageRow[] = []
      for (let round = 0; round < 20; round++) {
        const rows = Array.from({ length: below(60) }, () =>
          row({
            day: `2026-01-${String(1 + below(9)).padStart(2, '0')}`,
            keyId: below(4),
            model: `m${below(3)}`,
            target: ['', 'a/1', 'a/2', 'b/1'][below(4)] as string,
            user: `u${below(5)}`,
            ...Object.fromEntries(countNames.map(name => [name, below(1000)])),
          }),
        )
        all.push(...rows)
        await records.usage.add(rows)
      }
      for (let ask = 0; ask < 60; ask++) {
        const by = (['day', 'keyId', 'model', 'target', 'backend', 'user'] as const).filter(() => random() < 0.4).sort(() => random() - 0.5)
        const [from, to] = [`2026-01-0${1 + below(9)}`, `2026-01-0${1 + below(9)}`]
        const keyId = random() < 0.5 ? below(5) : undefined
        const wanted = all.filter(({ day, keyId: key }) => day >= from && day <= to && (keyId === undefined || key === keyId))
        const sums = await records.usage.query({ from, to, by, ...(keyId !== undefined && { keyId }) })
        expect(sums).toEqual(sumUp(wanted, by))
      }
    })
  })
}

function sumUp(rows: readonly UsageRow[], by: readonly UsageDimension[]): UsageSum[] {
  const partOf = (one: UsageRow, dimension: UsageDimension) => (dimension === 'backend' ? one.target.replace(/\/.*/s, '') : one[dimension])
  const groups = Map.groupBy(rows, one => by.map(dimension => String(partOf(one, dimension))).join('\0'))
  return [...groups.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, group]) => ({
      ...Object.fromEntries(by.map(dimension => [dimension, partOf(group[0] as UsageRow, dimension)])),
      ...(Object.fromEntries(countNames.map(name => [name, group.reduce((sum, one) => sum + one[name], 0)])) as unknown as UsageCounts),
    }))
}
