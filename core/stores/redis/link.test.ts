import { describe, expect, test } from 'bun:test'
import { redisMissing, startRedis } from '../../testing/redis.ts'
import { type LogLine, type OpenedStore, openStore } from './testing/open-store.ts'

const bucket = { perMinute: 60, burst: 2 }
const reasons = ({ lines }: OpenedStore) => lines.flatMap(({ reason }) => reason ?? [])
const unavailable = expect.objectContaining({ status: 503, type: 'service_unavailable', code: 'store_unavailable' })
const timed = async <T>(work: () => T) => {
  const from = performance.now()
  return { value: await work(), ms: performance.now() - from }
}

describe.skipIf(redisMissing)('without Redis', () => {
  test('on_error local: reads find nothing, writes are dropped, limits are this instance’s own', async () => {
    await using opened = await openStore('redis://127.0.0.1:1')
    const { store } = opened
    expect(store.state).toBe('down')
    await store.set('k', new Uint8Array([1]))
    expect(await store.get('k')).toBeNull()
    expect(await store.delete('k')).toBe(false)
    const allowed = [await store.take('b', bucket), await store.take('b', bucket), await store.take('b', bucket)].map(
      taken => taken.allowed,
    )
    expect(allowed).toEqual([true, true, false])
    expect(await store.giveBack('b', bucket, 1)).toMatchObject({ remaining: 1 })
    expect(await store.take('b', bucket)).toMatchObject({ allowed: true, remaining: 0 })
    expect([await store.add('n', 2), await store.add('n', 1)]).toEqual([2, 3])
  })

  test('on_error deny: what would decide is a 503', async () => {
    await using opened = await openStore('redis://127.0.0.1:1', { onError: 'deny' })
    const { store } = opened
    expect(await store.get('k')).toBeNull()
    await store.set('k', new Uint8Array([1]))
    expect(async () => store.take('b', bucket)).toThrow(unavailable)
    expect(async () => store.add('n', 1)).toThrow(unavailable)
    expect(await store.giveBack('b', bucket, 1)).toBeUndefined()
  })

  test('a list of keys is refused, because an empty one would be a lie', async () => {
    await using opened = await openStore('redis://127.0.0.1:1')
    expect(Array.fromAsync(opened.store.keys(''))).rejects.toEqual(unavailable)
  })

  test('the log says it once', async () => {
    await using opened = await openStore('redis://127.0.0.1:1')
    await Bun.sleep(2500) // two more attempts
    expect(opened.lines).toEqual([
      {
        level: 'warn',
        message: 'Redis cannot be used; this instance counts alone until it is back',
        redis: 'redis://127.0.0.1:1',
        reason: 'nothing listens there',
        on_error: 'local',
      } as LogLine,
    ])
  })
})

describe.skipIf(redisMissing)('a Redis that', () => {
  test('hangs: the first call waits 250 ms, no other waits, and it is used again at once when it goes on', async () => {
    await using server = await startRedis()
    await using opened = await openStore(server.url)
    const { store } = opened
    await store.set('k', new Uint8Array([1]))
    await store.take('b', bucket)
    server.freeze()
    const calls = await Promise.all([
      timed(() => store.get('k')),
      timed(() => store.take('b', bucket)),
      timed(() => store.set('k', new Uint8Array([2]))),
    ])
    for (const { ms } of calls) expect(ms).toBeWithin(240, 500)
    // this instance knows what it took while Redis was there
    expect(calls.map(({ value }) => value)).toEqual([null, expect.objectContaining({ allowed: true, remaining: 0 }), undefined])
    for (let at = 0; at < 20; at++) expect((await timed(() => store.get('k'))).ms).toBeLessThan(50)
    expect(await store.take('b', bucket)).toMatchObject({ allowed: false })
    expect(await store.giveBack('b', bucket, 1)).toMatchObject({ remaining: 1 })
    expect(store.state).toBe('down')
    await Bun.sleep(1300) // an attempt to connect is stuck as well
    server.thaw()
    expect(await opened.until('up')).toBeLessThan(2000)
    expect(await store.get('k')).not.toBeNull()
    expect(opened.lines.map(({ message }) => message)).toEqual([
      'Redis is in use',
      'Redis cannot be used; this instance counts alone until it is back',
      'Redis is back',
    ])
  })

  test('hangs, on_error deny: a 503 after 250 ms, then at once', async () => {
    await using server = await startRedis()
    await using opened = await openStore(server.url, { onError: 'deny' })
    server.freeze()
    const denied = () =>
      timed(async () => {
        const outcome = await Promise.resolve(opened.store.take('b', bucket)).catch(error => error)
        expect(outcome).toEqual(unavailable)
      })
    expect((await denied()).ms).toBeLessThan(500)
    expect((await timed(async () => expect(async () => opened.store.take('b', bucket)).toThrow(unavailable))).ms).toBeLessThan(50)
    server.thaw()
    await opened.until('up')
    expect(await opened.store.take('c', bucket)).toMatchObject({ allowed: true })
  })

  test('is not blamed when this process itself was held up', async () => {
    await using server = await startRedis()
    await using opened = await openStore(server.url)
    await opened.store.set('k', new Uint8Array([1]))
    const answer = opened.store.get('k') // leaves with the next turn of the event loop
    const until = performance.now() + 600
    while (performance.now() < until);
    expect(await answer).toEqual(new Uint8Array([1]))
    expect(opened.store.state).toBe('up')
  })

  test('is killed and comes back empty', async () => {
    await using server = await startRedis()
    await using opened = await openStore(server.url)
    await opened.store.set('k', new Uint8Array([1]))
    await opened.store.take('b', bucket)
    await server.kill()
    await opened.until('down')
    expect(await opened.store.get('k')).toBeNull()
    expect(await opened.store.take('b', bucket)).toMatchObject({ allowed: true })
    await server.restart()
    expect(await opened.until('up')).toBeLessThan(2000)
    expect(await opened.store.get('k')).toBeNull()
    expect(await opened.store.take('b', bucket)).toMatchObject({ allowed: true, remaining: 1 })
  })

  test('hangs while nobody asks for anything is missed all the same', async () => {
    await using server = await startRedis()
    await using opened = await openStore(server.url)
    server.freeze()
    expect(await opened.until('down')).toBeLessThan(6000)
    server.thaw()
    await opened.until('up')
  }, 20_000)

  test('is lost for several reasons, one after the other, has each of them told', async () => {
    await using server = await startRedis({ args: () => ['--requirepass', 'first-word'], login: ':first-word' })
    await using opened = await openStore(server.url)
    await server.kill()
    await Bun.sleep(2200)
    await server.restart(['--requirepass', 'second-word'])
    await Bun.sleep(2200)
    expect(reasons(opened).slice(-2)).toEqual(['nothing listens there', 'it refuses the user or the password'])
  }, 20_000)

  test('has no HELLO, as versions before 6, is used', async () => {
    await using server = await startRedis({ args: () => ['--rename-command', 'HELLO', '""', '--requirepass', 'word'] })
    await using opened = await openStore(server.url.replace('//', '//:word@'))
    expect(opened.store.state).toBe('up')
    await opened.store.set('k', new Uint8Array([0, 255]))
    expect(await opened.store.get('k')).toEqual(new Uint8Array([0, 255]))
    expect(await opened.store.take('b', bucket)).toMatchObject({ allowed: true, remaining: 1 })
  })

  test('closes a connection is used over a new one, and nobody is told', async () => {
    await using server = await startRedis()
    await using opened = await openStore(server.url)
    await Bun.sleep(1100) // one that breaks sooner is tried again no sooner than after a second
    await server.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await opened.until('down')
    expect(await opened.until('up')).toBeLessThan(500)
    expect(opened.lines.filter(({ level }) => level !== 'debug')).toHaveLength(1)
  })

  test.each([
    ['is full', [['CONFIG', 'SET', 'maxmemory', '1']], [['CONFIG', 'SET', 'maxmemory', '0']], 'its memory is full'],
    ['became a replica', [['REPLICAOF', '127.0.0.1', '1']], [['REPLICAOF', 'NO', 'ONE']], 'it is a replica and takes no writes'],
    [
      'takes rights away',
      [['ACL', 'SETUSER', 'default', '-eval', '-evalsha', '-set']],
      [['ACL', 'SETUSER', 'default', '+@all']],
      'the user may not do what gatehouse needs',
    ],
  ])('%s is down until that is over', async (_, spoil, mend, reason) => {
    await using server = await startRedis()
    await using opened = await openStore(server.url)
    for (const [name = '', ...args] of spoil) await server.command(name, ...args)
    expect(await opened.store.take('b', bucket)).toMatchObject({ allowed: true, remaining: 1 })
    expect(opened.store.state).toBe('down')
    await Bun.sleep(1200) // it does not come up in between
    expect(opened.store.state).toBe('down')
    expect(reasons(opened)).toEqual([expect.stringContaining(reason)])
    for (const [name = '', ...args] of mend) await server.command(name, ...args)
    expect(await opened.until('up')).toBeLessThan(2000)
    expect(await opened.store.take('b', bucket)).toMatchObject({ allowed: true, remaining: 1 })
  })

  test('still loads its data is waited for', async () => {
    await using server = await startRedis()
    await server.command('EVAL', "for at = 1, 2000 do redis.call('SET', 'k' .. at, string.rep('x', 1000)) end", '0')
    await server.command('SAVE')
    await server.restart(['--key-load-delay', '1000', '--loading-process-events-interval-bytes', '1024']) // two seconds
    await using opened = await openStore(server.url)
    expect(opened.store.state).toBe('down')
    expect(reasons(opened)).toEqual(['it still loads its data'])
    await opened.until('up')
  })
})
