import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { type RedisServer, redisMissing, startRedis } from '../../testing/redis.ts'
import { admin, keySettings, made, storedSecret, wholeAudit } from '../contract/under-test.ts'
import { openKeyIndex } from '../key-index.ts'
import { agreed, until } from './testing/agree.ts'
import { deaf, openShared, type SharedInstance, type SharedSettings } from './testing/open-shared.ts'
import { refused } from './testing/refused.ts'

const model = (name: string) => ({ name, backend: 'home', baseUrl: null, upstreamModel: null, enabled: true })
const hashOf = (number: number) => Uint8Array.fromHex(storedSecret(number).sha256)

describe.skipIf(redisMissing)('two instances over one Redis', () => {
  let server: RedisServer
  const opened: SharedInstance[] = []
  const open = async (settings?: SharedSettings) => {
    const instance = await openShared(server.url, settings)
    opened.push(instance)
    return instance
  }
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server?.[Symbol.asyncDispose]())
  beforeEach(() => server.command('FLUSHALL'))
  afterEach(async () => {
    for (const instance of opened.splice(0)) await instance[Symbol.asyncDispose]()
  })

  test.each([
    ['announced', {}],
    ['asked for, when every announcement is lost', { subscribe: deaf }],
  ])('a key that is revoked at one is refused by the other within a second: %s', async (_, settings) => {
    const [one, other] = [await open(), await open(settings)]
    const index = await openKeyIndex(other.records.keys)
    for (let round = 1; round <= 5; round++) {
      const { id } = await one.records.keys.create(keySettings(), storedSecret(round), admin)
      await until(() => index.find(hashOf(round)))
      const from = performance.now()
      if (round % 2) await one.records.keys.update(id, { enabled: false }, admin)
      else await one.records.keys.delete(id, admin)
      await until(() => {
        const key = index.find(hashOf(round))
        return !key || index.standing(key) === 'disabled'
      })
      expect(performance.now() - from).toBeLessThan(1000)
    }
    index.close()
  })

  test('announcements are heard without asking, and again after their connection was lost', async () => {
    const [one, other] = [await open(), await open({ pollMs: 60_000 })]
    const index = await openKeyIndex(other.records.keys)
    const listeners = async () => Number(((await server.command('PUBSUB', 'NUMSUB', 'gatehouse:records')) as readonly unknown[])[1])
    for (let round = 1; round <= 3; round++) {
      await until(async () => (await listeners()) === 2)
      await one.records.keys.create(keySettings(), storedSecret(round), admin)
      await until(() => index.find(hashOf(round)))
      await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
      await one.records.keys.delete(round, admin) // is heard of with the next connection
      await until(() => !index.find(hashOf(round)))
    }
    index.close()
  })

  test('what one changes the other reads at once, and must know to change it', async () => {
    const [one, other] = [await open({ subscribe: deaf, pollMs: 60_000 }), await open({ subscribe: deaf, pollMs: 60_000 })]
    const key = await one.records.keys.create(keySettings({ name: 'first' }), storedSecret(1), admin)
    expect(await other.records.keys.get(key.id)).toEqual(key)
    expect(await other.records.keys.list({ limit: 5 })).toEqual({ rows: [key], next: null, total: 1 })
    const second = made(await other.records.keys.update(key.id, { name: 'second' }, admin, 1))
    expect(await one.records.keys.update(key.id, { name: 'third' }, admin, 1)).toBe('conflict')
    expect(await one.records.keys.update(key.id, { name: 'third' }, admin, 2)).toEqual({ ...second, name: 'third', version: 3 })
    expect(await other.records.keys.update(key.id, { quota: 7 }, admin)).toMatchObject({ name: 'third', quota: 7, version: 4 })
    expect(await one.records.keys.delete(key.id, admin, 4)).toMatchObject({ quota: 7 })
    expect(await other.records.keys.update(key.id, { quota: 8 }, admin)).toBe('missing')
    expect(await other.records.keys.delete(key.id, admin)).toBe('missing')
  })

  test('ids are given once, names of models too, and no change is lost', async () => {
    const both = [await open(), await open()] as const
    const one = await both[0].records.keys.create(keySettings({ quota: 0 }), storedSecret(0), admin)
    const made = await Promise.all(
      Array.from({ length: 100 }, (_, at) => [
        both[at % 2]?.records.keys.create(keySettings(), storedSecret(at + 1), admin),
        both[at % 2]?.records.models.create(model(`model ${at >> 1}`), 'admin', admin),
        both[at % 2]?.records.keys.update(one.id, { quota: at }, admin),
      ]).flat(),
    )
    expect(made.filter(result => result === 'taken')).toHaveLength(50)
    expect(made).not.toContain('conflict')
    const { keys, models } = await agreed(both)
    expect(keys.map(({ id }) => id)).toEqual(Array.from({ length: 101 }, (_, at) => at + 1))
    expect(models.map(({ id }) => id)).toEqual(Array.from({ length: 50 }, (_, at) => at + 1))
    // the first of them changed nothing if it was the first at all
    expect(keys[0]?.version).toBeGreaterThanOrEqual(100)
    const audits = await Promise.all(both.map(({ records }) => wholeAudit(records)))
    expect(audits.flat()).toHaveLength(1 + 100 + 50 + ((keys[0]?.version ?? 0) - 1))
    expect(audits[0]?.filter(({ what }) => what === 'key.create')).toHaveLength(51)
  })

  test('listeners of both hear of each change once, and of settings', async () => {
    const [one, other] = [await open(), await open()]
    const heard = [one, other].map(({ records }) => {
      const list: unknown[] = []
      records.keys.onChange(change => list.push(change.kind === 'put' ? `put ${change.key.id} ${change.key.version}` : change))
      records.models.onChange(() => list.push('models'))
      records.settings.onChange(settings => list.push(settings))
      return list
    })
    const { id } = await one.records.keys.create(keySettings(), storedSecret(1), admin)
    await until(() => heard[1]?.length === 2)
    await other.records.keys.update(id, { enabled: false }, admin)
    await until(() => heard[0]?.length === 3)
    await one.records.models.create(model('m'), 'sync', admin)
    await until(() => heard[1]?.length === 4)
    await one.records.keys.delete(id, admin)
    await other.records.settings.set({ adminKeySha256: 'ab' }, admin)
    await Bun.sleep(450) // longer than it takes to ask
    const expected = [
      { adminKeySha256: null, closed: true },
      'put 1 1',
      'put 1 2',
      'models',
      { kind: 'delete', id },
      { adminKeySha256: 'ab', closed: true },
    ]
    expect(heard[0]).toEqual(expected)
    expect(heard[1]).toEqual(expected)
  })

  test('the latest use is known to all', async () => {
    const [one, other] = [await open(), await open()]
    const { id } = await one.records.keys.create(keySettings(), storedSecret(1), admin)
    await until(async () => await other.records.keys.get(id))
    await one.records.keys.used(new Map([[id, 2000]]))
    await other.records.keys.used(
      new Map([
        [id, 1000],
        [99, 5000],
      ]),
    )
    for (const { records } of [one, other]) {
      expect(await records.keys.get(id)).toMatchObject({ lastUsedAt: 2000, version: 1 })
      expect((await records.keys.list({ limit: 1 })).rows[0]?.lastUsedAt).toBe(2000)
    }
    expect(await server.command('HGETALL', 'gatehouse:used')).toEqual({ [id]: '2000' })
  })

  test('somebody who comes later knows everything, and one who was away for longer than the log reaches', async () => {
    const one = await open()
    const late = await open()
    const { folder } = late
    const { id } = await one.records.keys.create(keySettings({ name: 'gone later' }), storedSecret(1), admin)
    await agreed([one, late])
    await late.die()
    opened.pop()
    for (let at = 2; at <= 1200; at++) await one.records.keys.create(keySettings({ name: `key ${at}` }), storedSecret(at), admin)
    await one.records.keys.delete(id, admin)
    const [back, fresh] = [await open({ folder }), await open()]
    const { keys } = await agreed([one, back, fresh])
    expect(keys).toHaveLength(1199)
    expect((await fresh.records.keys.create(keySettings(), storedSecret(0), admin)).id).toBe(1201)
  })

  test('a user of Redis who may not announce or hear is served by asking', async () => {
    await server.command('ACL', 'SETUSER', 'plain', 'on', '>some-word', 'resetchannels', '~gatehouse:*', '+@all', '-publish', '-subscribe')
    const plain = await openShared(`redis://plain:some-word@127.0.0.1:${server.port}`)
    opened.push(plain)
    const other = await open()
    expect(plain.link.state).toBe('up')
    const { id } = await plain.records.keys.create(keySettings(), storedSecret(1), admin)
    const heard: unknown[] = []
    plain.records.keys.onChange(change => heard.push(change.kind))
    await other.records.keys.delete(id, admin)
    expect(await until(() => heard.length === 1)).toBeLessThan(1000)
    expect(plain.link.state).toBe('up')
    expect(plain.lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
  })

  test('a Redis where somebody else uses the name refuses changes, and is not touched', async () => {
    const one = await open()
    await one.records.keys.create(keySettings(), storedSecret(1), admin)
    await server.command('SET', 'gatehouse:records', 'mine')
    await refused(() => one.records.keys.create(keySettings(), storedSecret(2), admin))
    expect(await one.records.keys.get(1)).toMatchObject({ id: 1 })
    expect(await server.command('GET', 'gatehouse:records')).toBe('mine')
  })
})
