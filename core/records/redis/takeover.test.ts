import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from '../../errors.ts'
import { type RedisServer, redisMissing, startRedis } from '../../testing/redis.ts'
import { admin, allKeys, keySettings, made, storedSecret, wholeAudit } from '../contract/under-test.ts'
import { openKeyIndex } from '../key-index.ts'
import type { SqliteRecords } from '../sqlite.ts'
import { usageRow } from '../testing/usage-row.ts'
import { agreed } from './testing/agree.ts'
import { openLocal, openShared, type SharedInstance, sharedFolder } from './testing/open-shared.ts'

const model = (name: string, baseUrl: string | null = null) => ({ name, backend: 'home', baseUrl, upstreamModel: null, enabled: true })

describe.skipIf(redisMissing)('a database that was used without Redis', () => {
  let server: RedisServer
  const opened: AsyncDisposable[] = []
  const folders: Disposable[] = []
  const folder = () => {
    const made = sharedFolder()
    folders.push(made)
    return made.path
  }
  const open = async (path?: string): Promise<SharedInstance> => {
    const instance = await openShared(server.url, path === undefined ? {} : { folder: path })
    opened.push(instance)
    return instance
  }
  const close = async (instance: SharedInstance) => {
    opened.splice(opened.indexOf(instance), 1)
    await instance[Symbol.asyncDispose]()
  }
  /** Uses it without Redis. */
  const alone = async (path: string, work: (records: SqliteRecords) => Promise<void>) => {
    const records = await openLocal(path)
    await work(records)
    records.close()
    return path
  }
  const make = (records: SqliteRecords, number: number) =>
    records.keys.create(keySettings({ name: `key ${number}` }), storedSecret(number), admin)
  const idOf = async ({ records }: SharedInstance, number: number) => {
    const index = await openKeyIndex(records.keys)
    index.close()
    return index.find(Uint8Array.fromHex(storedSecret(number).sha256))?.id
  }

  beforeEach(async () => {
    server = await startRedis()
  })
  afterEach(async () => {
    for (const one of opened.splice(0)) await one[Symbol.asyncDispose]()
    for (const one of folders.splice(0)) one[Symbol.dispose]()
    await server[Symbol.asyncDispose]()
  })

  test('is taken over as it is, and an id that was given there is not given again', async () => {
    const path = await alone(folder(), async records => {
      for (let at = 1; at <= 3; at++) await make(records, at)
      await records.keys.update(2, { enabled: false }, admin)
      await records.keys.delete(3, admin)
      await records.models.create(model('m', 'http://box:1'), 'sync', admin)
      await records.settings.set({ adminKeySha256: 'ab' }, admin)
    })
    const first = await open(path)
    const other = await open()
    const { keys, models, settings } = await agreed([first, other])
    expect(keys).toMatchObject([
      { id: 1, name: 'key 1', version: 1, ...storedSecret(1) },
      { id: 2, enabled: false, version: 2 },
    ])
    expect(models).toMatchObject([{ id: 1, name: 'm', baseUrl: 'http://box:1', source: 'sync' }])
    expect(settings).toEqual({ adminKeySha256: 'ab', closed: true })
    expect((await other.records.keys.create(keySettings(), storedSecret(4), admin)).id).toBe(4)
    expect(await wholeAudit(first.records)).toHaveLength(7)
    expect(first.lines.map(({ level }) => level)).not.toContain('warn')
  })

  test('joins others that have the same ids: its keys get new ones, with all that is known of them', async () => {
    const fill = (from: number) => async (records: SqliteRecords) => {
      for (let at = from; at < from + 3; at++) await make(records, at)
      await records.keys.delete(2, admin)
      await records.usage.add([usageRow({ keyId: 1, promptTokens: from }), usageRow({ keyId: 3, promptTokens: from + 1 })])
      records.database.run(`INSERT INTO ledger_spent VALUES (1, 20000, ${from}, 0), (3, 20000, ${from + 1}, 0)`)
      records.database.run('INSERT INTO ledger_open VALUES (7, 3, 20000, 5)')
      records.database.run("INSERT INTO ledger_seen VALUES (1, 0, 99999, 'x', 9)")
      for (const name of ['shared', `own ${from}`]) await records.models.create(model(name, `http://box-${from}`), 'admin', admin)
    }
    const [one, other] = [await open(await alone(folder(), fill(10))), await open(await alone(folder(), fill(20)))]
    const { keys, models } = await agreed([one, other])
    expect(keys.map(({ id, name }) => [id, name])).toEqual([
      [1, 'key 10'],
      [3, 'key 12'],
      [4, 'key 20'],
      [5, 'key 22'],
    ])
    expect(models.map(({ name, baseUrl }) => [name, baseUrl])).toEqual([
      ['shared', 'http://box-10'],
      ['own 10', 'http://box-10'],
      ['own 20', 'http://box-20'],
    ])
    for (const instance of [one, other])
      for (const [secret, id] of [
        [10, 1],
        [12, 3],
        [20, 4],
        [22, 5],
      ])
        expect(await idOf(instance, secret as number)).toBe(id)
    const rows = (sql: string) => other.local.database.query(sql).values()
    expect(rows('SELECT key_id, tokens FROM ledger_spent ORDER BY key_id')).toEqual([
      [4, 20],
      [5, 21],
    ])
    expect(rows('SELECT key_id FROM ledger_open')).toEqual([[5]])
    expect(rows('SELECT key_id FROM ledger_seen')).toEqual([[4]])
    expect(await other.records.usage.query({ from: '2026-01-01', to: '2026-12-31', by: ['keyId'] })).toMatchObject([
      { keyId: 4, promptTokens: 20 },
      { keyId: 5, promptTokens: 21 },
    ])
    const audit = (await wholeAudit(other.records)).filter(({ what }) => what === 'key.renumber')
    expect(audit).toMatchObject([
      { who: 'gatehouse', subjectId: 4, subjectName: 'key 20', before: { id: 1 }, after: { id: 4 } },
      { subjectId: 5, before: { id: 3 }, after: { id: 5 } },
    ])
    expect(other.lines.filter(({ level }) => level === 'warn')).toHaveLength(3) // keys, models, and one model dropped
    expect((await wholeAudit(other.records)).at(-1)).toMatchObject({ what: 'model.drop', subjectName: 'shared' })
    expect((await one.records.keys.create(keySettings(), storedSecret(30), admin)).id).toBe(6)
  })

  test('that is a copy of another joins it without anything twice; what was changed later counts', async () => {
    const path = await alone(folder(), async records => {
      for (let at = 1; at <= 3; at++) await make(records, at)
    })
    const copy = folder()
    copyFileSync(join(path, 'gatehouse.db'), join(copy, 'gatehouse.db'))
    await alone(path, async records => void (await records.keys.rotate(1, storedSecret(7), null, admin)))
    await alone(copy, async records => {
      for (const quota of [1, 2]) await records.keys.update(1, { quota }, admin)
      await records.keys.update(2, { enabled: false }, admin)
    })
    const [one, other] = [await open(path), await open(copy)]
    const { keys } = await agreed([one, other])
    expect(keys).toMatchObject([
      { id: 1, quota: 2, version: 3, ...storedSecret(1) },
      { id: 2, enabled: false, version: 2 },
      { id: 3, version: 1 },
    ])
    expect(keys).toHaveLength(3)
  })

  test('for a while, tells the others what happened there, and hears what happened elsewhere', async () => {
    const path = await alone(folder(), async records => {
      for (let at = 1; at <= 6; at++) await make(records, at)
      await records.models.create(model('a'), 'admin', admin)
      await records.models.create(model('b'), 'admin', admin)
    })
    const other = await open()
    await close(await open(path))
    await alone(path, async records => {
      await records.keys.update(1, { name: 'apart' }, admin)
      await records.keys.delete(2, admin)
      await records.keys.update(3, { name: 'apart' }, admin)
      await records.keys.update(4, { name: 'apart' }, admin)
      await records.models.update(1, { name: 'c' }, admin)
      await records.models.update(2, { name: 'a' }, admin)
      await make(records, 7)
    })
    await other.records.keys.update(2, { name: 'there' }, admin)
    await other.records.keys.delete(3, admin)
    for (const quota of [1, 2]) await other.records.keys.update(4, { quota }, admin)
    await other.records.keys.create(keySettings({ name: 'there' }), storedSecret(8), admin)
    const back = await open(path)
    const { keys, models } = await agreed([other, back])
    expect(keys.map(({ id, name, version }) => [id, name, version])).toEqual([
      [1, 'apart', 2],
      [4, 'key 4', 3],
      [5, 'key 5', 1],
      [6, 'key 6', 1],
      [7, 'there', 1],
      [8, 'key 7', 1],
    ])
    expect(models.map(({ id, name }) => [id, name])).toEqual([
      [1, 'c'],
      [2, 'a'],
    ])
  })

  test('closes the others when it is closed', async () => {
    const other = await open()
    await other.records.settings.set({ closed: true }, admin)
    expect(await other.records.settings.set({ closed: false }, admin)).toEqual({ adminKeySha256: null, closed: false })
    const path = await alone(folder(), async records => {
      await make(records, 1)
      await records.keys.delete(1, admin)
    })
    const one = await open(path)
    expect((await agreed([one, other])).settings.closed).toBe(true)
  })

  test('restored from before it was taken over keeps the ids it has got since', async () => {
    await open(await alone(folder(), async records => void (await make(records, 1))))
    const path = await alone(folder(), async records => void (await make(records, 2)))
    const backup = folder()
    copyFileSync(join(path, 'gatehouse.db'), join(backup, 'gatehouse.db'))
    const second = await open(path)
    expect(await idOf(second, 2)).toBe(2)
    const third = await open(backup)
    expect((await agreed([second, third])).keys.map(({ id }) => id)).toEqual([1, 2])
    expect(await idOf(third, 2)).toBe(2)
  })

  test('needs Redis for that: without it the start ends with what to do, and nothing is lost', async () => {
    const path = await alone(folder(), async records => void (await make(records, 1)))
    await server.kill()
    const failed = await openShared(server.url, { folder: path, startWithinMs: 50 }).catch((error: unknown) => error)
    expect(failed).toBeInstanceOf(ConfigError)
    expect((failed as Error).message).toMatch(/^redis\.url: .* needed for this start/)
    await alone(path, async records => expect(await allKeys(records)).toHaveLength(1))
    const waiting = openShared(server.url, { folder: path })
    await server.restart()
    const instance = await waiting
    opened.push(instance)
    expect(made((await instance.records.keys.get(1)) ?? 'missing').name).toBe('key 1')
    await close(instance)
    await server.kill()
    expect(await allKeys((await open(path)).records)).toHaveLength(1)
  })
})
