import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { RedisLink } from '../../stores/redis/link.ts'
import { RedisUnusable } from '../../stores/redis/reasons.ts'
import { type RedisServer, redisMissing, startRedis } from '../../testing/redis.ts'
import { admin, keySettings, made, storedSecret, wholeAudit } from '../contract/under-test.ts'
import { openKeyIndex } from '../key-index.ts'
import type { KeyRecord } from '../keys.ts'
import { readScript } from './scripts.ts'
import { agreed, stateOf, until } from './testing/agree.ts'
import { openGate } from './testing/gate.ts'
import { openShared, type SharedInstance, type SharedSettings } from './testing/open-shared.ts'
import { refused } from './testing/refused.ts'

const hashOf = (number: number) => Uint8Array.fromHex(storedSecret(number).sha256)
const model = { name: 'm', backend: 'home', baseUrl: null, upstreamModel: null, enabled: true }

describe.skipIf(redisMissing)('when Redis', () => {
  let server: RedisServer
  const opened: SharedInstance[] = []
  const open = async (settings?: SharedSettings, url = server.url) => {
    const instance = await openShared(url, settings)
    opened.push(instance)
    return instance
  }
  const make = ({ records }: SharedInstance, number: number, change = {}) =>
    records.keys.create(keySettings({ name: `key ${number}`, ...change }), storedSecret(number), admin)
  /** Makes a change, again if need be: it is refused while Redis is given what it has lost. */
  const once = async <T>(work: () => T): Promise<Awaited<T>> => {
    const found = { result: undefined as Awaited<T> | undefined }
    await until(async () => {
      found.result = await Promise.resolve()
        .then(work)
        .catch(() => undefined)
      return found.result !== undefined
    })
    return found.result as Awaited<T>
  }
  beforeEach(async () => {
    server = await startRedis()
  })
  afterEach(async () => {
    for (const instance of opened.splice(0)) await instance[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })

  test('is killed, what is known is read on, changes are refused, and it is given everything when it is back', async () => {
    const both = [await open(), await open()] as const
    const index = await openKeyIndex(both[1].records.keys)
    const first = await make(both[0], 1)
    const second = await make(both[1], 2)
    await both[0].records.models.create(model, 'admin', admin)
    await both[0].records.settings.set({ adminKeySha256: 'ab' }, admin)
    await both[1].records.keys.delete(second.id, admin)
    const before = await agreed(both)
    await server.kill()
    await Promise.all(both.map(one => one.until('down')))
    for (const { records } of both) {
      expect(await records.keys.get(first.id)).toEqual(first)
      expect((await records.keys.list({ limit: 9, search: 'key' })).rows).toEqual([first])
      expect((await records.models.list({ limit: 9 })).total).toBe(1)
      for (const work of [
        () => make(both[0], 3),
        () => records.keys.update(first.id, { quota: 1 }, admin),
        () => records.keys.update(99, { quota: 1 }, admin),
        () => records.keys.rotate(first.id, storedSecret(4), null, admin),
        () => records.keys.delete(first.id, admin, 7),
        () => records.models.create(model, 'admin', admin),
        () => records.models.delete(1, admin),
        () => records.settings.set({ closed: false }, admin),
      ]) {
        expect(await refused(work)).toBeLessThan(50)
      }
    }
    expect(index.find(hashOf(1))?.id).toBe(first.id)
    expect(await agreed(both)).toEqual(before)

    await server.restart()
    await once(() => both[1].records.keys.update(first.id, { quota: 5 }, admin))
    const after = await agreed(both)
    expect(after).toEqual({ ...before, keys: [{ ...(before.keys[0] as KeyRecord), quota: 5, version: 2 }] })
    const third = await make(both[0], 3)
    expect(third.id).toBeGreaterThan(second.id)
    await until(() => index.find(hashOf(3)))
    expect(index.find(hashOf(2))).toBeUndefined()
    index.close()
  }, 20_000)

  test('is back empty, a key that was deleted does not come back with somebody who missed it', async () => {
    const [one, away] = [await open(), await open()]
    const { id } = await make(one, 1)
    await make(one, 2)
    await agreed([one, away])
    const { folder } = away
    await away.die()
    opened.pop()
    await one.records.keys.delete(id, admin)
    const { folder: ones } = one
    await one.die()
    opened.pop()
    await server.restart()
    const back = await open({ folder }) // gives Redis the key, which nobody here knows to be deleted
    expect((await stateOf(back.records)).keys).toHaveLength(2)
    const oneAgain = await open({ folder: ones })
    const { keys } = await agreed([back, oneAgain])
    expect(keys.map(key => key.id)).toEqual([2])
    const fresh = await open()
    expect((await agreed([back, fresh])).keys).toHaveLength(1)
    expect((await make(fresh, 3)).id).toBeGreaterThan(2)
  })

  test('is flushed between two changes, none of them is lost and no id given twice', async () => {
    const both = [await open(), await open()] as const
    const ids = new Set<number>()
    for (let round = 0; round < 10; round++) {
      const maker = both[round % 2] as SharedInstance
      const key = await once(() => make(maker, round))
      expect(ids.has(key.id)).toBe(false)
      ids.add(key.id)
      if (round % 3 === 0) await agreed(both)
      await server.command('FLUSHALL')
      await once(() => maker.records.keys.update(key.id, { quota: round }, admin))
    }
    const { keys, settings } = await agreed(both)
    expect(keys.map(({ id, quota, version }) => ({ id, quota, version }))).toEqual(
      [...ids].sort((a, b) => a - b).map((id, round) => ({ id, quota: round, version: 2 })),
    )
    expect(settings.closed).toBe(true)
    const audits = await Promise.all(both.map(({ records }) => wholeAudit(records)))
    expect(audits.flat()).toHaveLength(20)
  }, 30_000)

  test('comes back with what it knew a while ago, later changes are given to it again', async () => {
    const both = [await open(), await open()] as const
    const first = await make(both[0], 1)
    const second = await make(both[0], 2)
    await server.command('SAVE')
    await both[0].records.keys.update(first.id, { enabled: false }, admin)
    await both[1].records.keys.delete(second.id, admin)
    const third = await make(both[1], 3)
    await agreed(both)
    await server.restart()
    const fresh = await open()
    const { keys } = await agreed([...both, fresh])
    expect(keys.map(({ id, enabled }) => [id, enabled])).toEqual([
      [first.id, false],
      [third.id, true],
    ])
    expect((await make(fresh, 4)).id).toBeGreaterThan(third.id)
  })

  test('has lost a change that only one instance heard of, that one brings it back; of two, what takes rights away', async () => {
    await using gate = await openGate(server.port)
    const one = await open()
    const other = await open({}, gate.url)
    const keys = [await make(one, 1), await make(one, 2), await make(one, 3), await make(one, 4)] as const
    await agreed([one, other])
    gate.shut()
    await other.until('down')
    await one.records.keys.update(keys[0].id, { enabled: false }, admin)
    await one.records.keys.update(keys[1].id, { quota: 1 }, admin)
    await one.records.keys.delete(keys[3].id, admin)
    const { folder } = one
    await one.die()
    opened.splice(opened.indexOf(one), 1)
    await server.restart()
    gate.open()
    // it knows of neither, and makes other ones
    await once(() => other.records.keys.update(keys[0].id, { quota: 9 }, admin))
    await other.records.keys.update(keys[1].id, { quota: 2 }, admin)
    await other.records.keys.update(keys[1].id, { quota: 3 }, admin)
    for (const quota of [1, 2, 3]) await other.records.keys.update(keys[3].id, { quota }, admin)
    const index = await openKeyIndex(other.records.keys)
    const again = await open({ folder })
    const after = (await agreed([other, again])).keys
    await until(() => index.get(keys[0].id)?.enabled === false) // whose version is the one it knew already
    index.close()
    expect(after.map(({ enabled, quota, version }) => ({ enabled, quota, version }))).toEqual([
      { enabled: false, quota: 1_000_000, version: 2 },
      { enabled: true, quota: 3, version: 3 },
      { enabled: true, quota: 1_000_000, version: 1 },
    ])
  }, 20_000)

  test('has lost a key that only one instance heard of, its id is not given to another', async () => {
    await using gate = await openGate(server.port)
    await using others = await openGate(server.port)
    const one = await open({}, others.url)
    const other = await open({}, gate.url)
    await make(one, 1)
    await agreed([one, other])
    gate.shut()
    await other.until('down')
    const lost = await make(one, 2)
    others.shut()
    await one.until('down')
    await server.command('FLUSHALL')
    gate.open()
    const next = await once(() => make(other, 3))
    expect(next.id).toBeGreaterThan(lost.id)
    others.open()
    await one.until('up')
    await until(async () => (await stateOf(other.records)).keys.length === 3)
    expect((await agreed([one, other])).keys.map(({ name }) => name)).toEqual(['key 1', 'key 2', 'key 3'])
    expect([one, other].flatMap(({ lines }) => lines.filter(({ message }) => message.includes('other ids')))).toEqual([])
  }, 20_000)

  test('is lost while somebody comes to agree with it, what he has heard till then counts at once', async () => {
    let breaks = false
    const wrap = (link: RedisLink): RedisLink => ({
      ...link,
      get state() {
        return link.state
      },
      run(script, keys, args) {
        const isModels = script === readScript && (args as readonly unknown[])[2] === 'model'
        if (!breaks || !isModels) return link.run(script, keys, args)
        breaks = false
        return Promise.reject(new RedisUnusable('the link is down'))
      },
    })
    const one = await open()
    const other = await open({ wrap })
    const { id } = await make(one, 1)
    await agreed([one, other])
    const index = await openKeyIndex(other.records.keys)
    breaks = true
    await server.command('FLUSHALL')
    await once(() => one.records.keys.update(id, { enabled: false }, admin))
    await until(() => index.get(id)?.enabled === false)
    expect(breaks).toBe(false)
    index.close()
  })

  test('hangs, a change is refused in time; when it happened all the same, all know of it and the audit too', async () => {
    const both = [await open({ answerWithinMs: 250 }), await open({ answerWithinMs: 250 })] as const
    const { id } = await once(() => make(both[0], 1))
    await agreed(both)
    server.freeze()
    expect(await refused(() => both[0].records.keys.update(id, { enabled: false }, admin))).toBeLessThan(500)
    expect(await refused(() => both[0].records.keys.update(id, { enabled: true }, admin))).toBeLessThan(50)
    const from = performance.now()
    expect((await both[1].records.keys.get(id))?.id).toBe(id)
    expect(performance.now() - from).toBeLessThan(500)
    server.thaw()
    await Promise.all(both.map(one => one.until('up')))
    // what lay in the socket is carried out as soon as Redis goes on
    await until(async () => (await both[1].records.keys.get(id))?.enabled === false)
    await agreed(both)
    await until(async () => (await wholeAudit(both[0].records)).length === 2)
    expect((await wholeAudit(both[0].records))[1]).toMatchObject({ what: 'key.update', subjectId: id, after: { enabled: false } })
    expect(await wholeAudit(both[1].records)).toEqual([])
  }, 20_000)

  test('has carried out a change of somebody who was killed before he heard of it, his audit has it after all', async () => {
    const [one, other] = [await open({ answerWithinMs: 250 }), await open()]
    const { id } = await once(() => make(one, 1))
    await agreed([one, other])
    const { folder } = one
    server.freeze()
    await refused(() => one.records.keys.update(id, { enabled: false }, admin))
    await one.die()
    opened.splice(opened.indexOf(one), 1)
    server.thaw()
    await until(async () => (await stateOf(other.records)).keys[0]?.enabled === false)
    await server.command('FLUSHALL') // and then he has to compare everything
    await once(() => other.records.keys.update(id, {}, admin))
    const again = await open({ folder })
    expect((await agreed([again, other])).keys[0]?.enabled).toBe(false)
    expect((await wholeAudit(again.records)).map(({ what }) => what)).toEqual(['key.create', 'key.update'])
  })

  test('cannot be reached at a start, the last state is known', async () => {
    const one = await open()
    const key = await make(one, 1)
    const { folder } = one
    await one.die()
    opened.pop()
    await server.kill()
    const alone = await open({ folder })
    const { lastUsedAt: _, ...known } = key
    expect((await stateOf(alone.records)).keys).toEqual([known])
    expect(alone.records.settings.get()).toMatchObject({ closed: true })
    await refused(() => make(alone, 2))
    await server.restart()
    await once(() => make(alone, 2))
    expect((await stateOf(alone.records)).keys).toHaveLength(2)
  })

  test('was never reached, nobody is let in without a key', async () => {
    await server.kill()
    const fresh = await open()
    expect(await fresh.records.settings.get()).toEqual({ adminKeySha256: null, closed: true })
    const heard: boolean[] = []
    fresh.records.settings.onChange(({ closed }) => heard.push(closed))
    await server.restart()
    await until(() => heard.length === 1)
    expect(await fresh.records.settings.get()).toEqual({ adminKeySha256: null, closed: false })
    expect(heard).toEqual([false])
  })

  test('tells of a revoked key that cannot be written down here, it is refused all the same', async () => {
    const [one, other] = [await open(), await open()]
    const { id } = await make(one, 1)
    await agreed([one, other])
    const index = await openKeyIndex(other.records.keys)
    other.local.database.run('PRAGMA query_only = ON')
    await one.records.keys.update(id, { enabled: false }, admin)
    await until(() => index.get(id)?.enabled === false)
    expect((await stateOf(other.records)).keys[0]?.enabled).toBe(true)
    other.local.database.run('PRAGMA query_only = OFF')
    await agreed([one, other])
    expect(made(await other.records.keys.update(id, { quota: 1 }, admin, 2)).enabled).toBe(false)
    expect(other.lines.filter(({ level }) => level === 'error')).toHaveLength(1)
    index.close()
  })

  test('holds rows that make no sense, they are passed over and told of once', async () => {
    const [one, other] = [await open(), await open()]
    await make(one, 1)
    await agreed([one, other])
    for (const [field, row] of Object.entries({
      'key:2': 'nonsense',
      'key:3': '1 on 0 a b {',
      'key:4': '1 on 0 c d {"name":"no more"}',
      'key:5': '1 on 0 e f null',
    })) {
      await server.command('HSET', 'gatehouse:records', field, row)
    }
    await server.command('HSET', 'gatehouse:records', 'last:key', '5')
    const fresh = await open()
    expect((await agreed([one, other, fresh])).keys).toHaveLength(1)
    expect(fresh.lines.filter(({ level }) => level === 'error')).toHaveLength(1)
    expect((await make(fresh, 2)).id).toBe(6)
    expect((await agreed([one, other, fresh])).keys).toHaveLength(2)
  })
})
