import { describe, expect, test } from 'bun:test'
import type { KeyChange, KeyRecord } from '../keys.ts'
import { admin, allKeys, keySettings, made, type OpenRecords, storedSecret, wholeAudit } from './under-test.ts'

/** What all records must do with keys. */
export function testKeys(open: OpenRecords): void {
  describe('keys', () => {
    test('a key comes back as it was made', async () => {
      const { records, now } = await open()
      const settings = keySettings({
        name: 'Büro 世界 🙂 "x"',
        enabled: false,
        quota: 0,
        quotaPeriod: 'month',
        rateLimit: null,
        tokensPerMinute: 5000,
        maxConcurrency: 3,
        allowedIps: ['10.0.0.0/8', '2001:db8::/32'],
        allowedModels: ['gpt-*', 'a"b'],
        allowedEndpoints: [],
        allowedTools: ['files/*'],
        cacheScope: 'key',
        expiresAt: now() + 2 ** 40,
      })
      const key = await records.keys.create(settings, storedSecret(1), admin)
      expect(key).toEqual({
        ...settings,
        ...storedSecret(1),
        id: 1,
        previousSha256: null,
        graceUntil: null,
        createdAt: now(),
        lastUsedAt: null,
        version: 1,
      })
      expect(await records.keys.get(1)).toEqual(key)
      expect(await records.keys.get(2)).toBeUndefined()
    })

    test('numbers keep every digit up to 2^53', async () => {
      const { records } = await open()
      const { id } = await records.keys.create(keySettings({ quota: Number.MAX_SAFE_INTEGER }), storedSecret(1), admin)
      expect((await records.keys.get(id))?.quota).toBe(Number.MAX_SAFE_INTEGER)
    })

    test('an id is never given twice', async () => {
      const { records } = await open()
      const first = await records.keys.create(keySettings(), storedSecret(1), admin)
      await records.keys.delete(first.id, admin)
      const second = await records.keys.create(keySettings(), storedSecret(2), admin)
      expect(second.id).toBeGreaterThan(first.id)
    })

    test('an update changes what it names and counts the version', async () => {
      const { records } = await open()
      const key = await records.keys.create(keySettings({ name: 'before', allowedModels: ['a'] }), storedSecret(1), admin)
      const updated = await records.keys.update(key.id, { name: 'after', quota: null, allowedModels: [] }, admin)
      expect(updated).toEqual({ ...key, name: 'after', quota: null, allowedModels: [], version: 2 })
      expect(await records.keys.get(key.id)).toEqual(made(updated))
    })

    test('an update that changes nothing leaves version, audit and listeners alone', async () => {
      const { records } = await open()
      const key = await records.keys.create(keySettings({ allowedModels: ['a'] }), storedSecret(1), admin)
      const heard: KeyChange[] = []
      records.keys.onChange(change => heard.push(change))
      expect(await records.keys.update(key.id, { name: key.name, allowedModels: ['a'] }, admin)).toEqual(key)
      expect(await records.keys.update(key.id, {}, admin, 1)).toEqual(key)
      expect(heard).toEqual([])
      expect(await wholeAudit(records)).toHaveLength(1)
    })

    test('a stale version is a conflict and an unknown id is missing; nothing happens', async () => {
      const { records } = await open()
      const { id } = await records.keys.create(keySettings(), storedSecret(1), admin)
      const key = made(await records.keys.update(id, { name: 'second' }, admin, 1))
      for (const version of [0, 1, 3]) {
        expect(await records.keys.update(id, { name: 'third' }, admin, version)).toBe('conflict')
        expect(await records.keys.update(id, { name: 'second' }, admin, version)).toBe('conflict')
        expect(await records.keys.rotate(id, storedSecret(2), null, admin, version)).toBe('conflict')
        expect(await records.keys.delete(id, admin, version)).toBe('conflict')
      }
      expect(await records.keys.update(99, { name: 'third' }, admin, 1)).toBe('missing')
      expect(await records.keys.rotate(99, storedSecret(2), null, admin)).toBe('missing')
      expect(await records.keys.delete(99, admin)).toBe('missing')
      expect(await allKeys(records)).toEqual([key])
      expect(await wholeAudit(records)).toHaveLength(2)
    })

    test('of many who change the same version one succeeds', async () => {
      const { records } = await open()
      const { id } = await records.keys.create(keySettings(), storedSecret(1), admin)
      const results = await Promise.all(
        Array.from({ length: 50 }, async (_, at) => records.keys.update(id, { name: `by ${at}` }, admin, 1)),
      )
      expect(results.filter(result => result !== 'conflict')).toHaveLength(1)
      expect((await records.keys.get(id))?.version).toBe(2)
    })

    test('after a rotation there are two secrets, or one when there is no grace; an older one is gone', async () => {
      const { records, now } = await open()
      const key = await records.keys.create(keySettings(), storedSecret(1), admin)
      const until = now() + 3_600_000
      const once = made(await records.keys.rotate(key.id, storedSecret(2), until, admin, 1))
      expect(once).toEqual({ ...key, ...storedSecret(2), previousSha256: storedSecret(1).sha256, graceUntil: until, version: 2 })
      const twice = made(await records.keys.rotate(key.id, storedSecret(3), until, admin))
      expect(twice).toMatchObject({ ...storedSecret(3), previousSha256: storedSecret(2).sha256 })
      const cut = made(await records.keys.rotate(key.id, storedSecret(4), null, admin, 3))
      expect(cut).toEqual({ ...key, ...storedSecret(4), version: 4 })
      expect(await records.keys.get(key.id)).toEqual(cut)
    })

    test('a deleted key is told as it was, and is gone', async () => {
      const { records } = await open()
      const key = await records.keys.create(keySettings(), storedSecret(1), admin)
      expect(await records.keys.delete(key.id, admin, 1)).toEqual(key)
      expect(await records.keys.get(key.id)).toBeUndefined()
      expect(await allKeys(records)).toEqual([])
    })

    test('pages follow each other, with keys coming and going in between', async () => {
      const { records } = await open()
      for (let at = 1; at <= 7; at++) await records.keys.create(keySettings({ name: `key ${at}` }), storedSecret(at), admin)
      const first = await records.keys.list({ limit: 3 })
      expect(first).toMatchObject({ next: 3, total: 7, rows: [{ id: 1 }, { id: 2 }, { id: 3 }] })
      await records.keys.delete(3, admin)
      await records.keys.delete(4, admin)
      const second = await records.keys.list({ after: first.next as number, limit: 3 })
      expect(second).toMatchObject({ next: null, total: 5, rows: [{ id: 5 }, { id: 6 }, { id: 7 }] })
      expect(await records.keys.list({ after: 7, limit: 3 })).toEqual({ rows: [], next: null, total: 5 })
    })

    test.each([
      ['büro', [1]],
      ['BÜRO', [1]],
      ['ﬁ', [4]], // a ligature
      ['FI', [4]],
      ['100%', [2]],
      ['_', [2]],
      ['k', [1, 2, 3, 4]],
      ['sk-', []],
      [storedSecret(3).prefix, [3]],
      [storedSecret(3).prefix.slice(0, 8), [3]],
      [`${storedSecret(3).prefix}and-more-of-it`, [3]],
      [`${storedSecret(3).prefix.slice(0, 8)}?`, []],
      ["'; DROP TABLE keys", []],
      ['nobody', []],
    ] as const)('a search for %p finds %p', async (search, ids) => {
      const { records } = await open()
      for (const [at, name] of ['Büro K', '100%_k', 'k', 'Kﬁx'].entries()) {
        await records.keys.create(keySettings({ name }), storedSecret(at + 1), admin)
      }
      const found = await records.keys.list({ search, limit: 10 })
      expect(found.rows.map(({ id }) => id)).toEqual([...ids])
      expect(found.total).toBe(ids.length)
      expect(await records.keys.list({ search, limit: 1 })).toMatchObject({ total: ids.length, next: ids.length > 1 ? ids[0] : null })
    })

    test('all keys are read in parts, in order', async () => {
      const { records } = await open()
      for (let at = 1; at <= 2500; at++) await records.keys.create(keySettings(), storedSecret(at), admin)
      expect((await allKeys(records)).map(({ id }) => id)).toEqual(Array.from({ length: 2500 }, (_, at) => at + 1))
    })

    test('the last use is noted, only forwards, and is no change', async () => {
      const { records } = await open()
      const key = await records.keys.create(keySettings(), storedSecret(1), admin)
      const heard: KeyChange[] = []
      records.keys.onChange(change => heard.push(change))
      await records.keys.used(
        new Map([
          [key.id, 2000],
          [99, 3000],
        ]),
      )
      await records.keys.used(new Map([[key.id, 1000]]))
      expect(await records.keys.get(key.id)).toEqual({ ...key, lastUsedAt: 2000 })
      expect(heard).toEqual([])
      const updated = made(await records.keys.update(key.id, { name: 'another' }, admin, 1))
      expect(updated.lastUsedAt).toBe(2000)
    })

    test('listeners hear of each change once, until they leave', async () => {
      const { records } = await open()
      const heard: KeyChange[] = []
      const leave = records.keys.onChange(change => heard.push(change))
      const created = await records.keys.create(keySettings(), storedSecret(1), admin)
      const updated = made(await records.keys.update(created.id, { enabled: false }, admin))
      const rotated = made(await records.keys.rotate(created.id, storedSecret(2), null, admin))
      await records.keys.update(created.id, { enabled: true }, admin, 1)
      await records.keys.delete(created.id, admin)
      const put = (key: KeyRecord) => ({ kind: 'put', key }) as const
      expect(heard).toEqual([put(created), put(updated), put(rotated), { kind: 'delete', id: created.id }])
      leave()
      await records.keys.create(keySettings(), storedSecret(3), admin)
      expect(heard).toHaveLength(4)
    })

    test('each change leaves a row in the audit, which outlives the key and holds no hash', async () => {
      const { records, now, advance } = await open()
      const { id } = await records.keys.create(keySettings({ name: 'first' }), storedSecret(1), { who: 'ann' })
      advance(1000)
      await records.keys.update(id, { name: 'second', quota: null }, { who: 'bob' })
      await records.keys.rotate(id, storedSecret(2), now() + 5, admin)
      await records.keys.delete(id, admin)
      const rows = await wholeAudit(records)
      const whole = keySettings({ name: 'second', quota: null })
      expect(rows).toMatchObject([
        {
          what: 'key.create',
          who: 'ann',
          at: now() - 1000,
          subjectId: id,
          subjectName: 'first',
          before: null,
          after: keySettings({ name: 'first' }),
        },
        { what: 'key.update', who: 'bob', at: now(), subjectName: 'first' },
        { what: 'key.rotate', who: 'admin', subjectName: 'second', before: { prefix: storedSecret(1).prefix } },
        { what: 'key.delete', subjectId: id, before: { ...whole, prefix: storedSecret(2).prefix }, after: null },
      ])
      expect(rows[1]).toMatchObject({ before: { name: 'first', quota: 1_000_000 }, after: { name: 'second', quota: null } })
      expect(Object.keys(rows[1]?.after as object).sort()).toEqual(['name', 'quota'])
      expect(rows[2]?.after).toEqual({ prefix: storedSecret(2).prefix, graceUntil: now() + 5 })
      for (const number of [1, 2]) expect(JSON.stringify(rows)).not.toContain(storedSecret(number).sha256)
    })
  })
}
