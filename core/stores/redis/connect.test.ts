import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { makeCertificate } from '../../testing/certificate.ts'
import { type RedisServer, redisMissing, startRedis } from '../../testing/redis.ts'
import { listenOnFreePort } from '../../testing/server/free-port.ts'
import { type OpenedStore, openStore } from './testing/open-store.ts'

/** What README.md says a user must be allowed. */
const needed = [
  ...['get', 'set', 'del', 'exists', 'pexpire', 'scan', 'incrbyfloat', 'eval', 'evalsha', 'time', 'select'],
  ...['hset', 'hget', 'hmget', 'hgetall', 'zadd', 'zcard', 'zrange', 'zrem', 'zremrangebyscore'],
]
const bucket = { perMinute: 60, burst: 2 }
const reasons = ({ lines }: OpenedStore) => lines.flatMap(({ reason }) => reason ?? [])

describe.skipIf(redisMissing)('the address', () => {
  let server: RedisServer
  let at: string
  beforeAll(async () => {
    server = await startRedis({ args: () => ['--requirepass', 'right-word', '--unixsocket', 'redis.sock'], login: ':right-word' })
    at = `127.0.0.1:${server.port}`
    await server.command('ACL', 'SETUSER', 'guest', 'on', '>p@:/?#%', '~gatehouse:*', '+get')
    await server.command('ACL', 'SETUSER', 'house', 'on', '>p@:/?#%', '~gatehouse:*', ...needed.map(name => `+${name}`))
  })
  afterAll(() => server?.[Symbol.asyncDispose]())
  const encoded = encodeURIComponent('p@:/?#%')

  test.each([
    ['with the password', () => `redis://:right-word@${at}`],
    ['with a database', () => `redis://:right-word@${at}/7`],
    ['by name', () => `redis://:right-word@localhost:${server.port}`],
    ['with a user who may do no more than README.md says', () => `redis://house:${encoded}@${at}/7`],
  ])('%s is used', async (_, url) => {
    await using opened = await openStore(url())
    expect(opened.store.state).toBe('up')
    await opened.store.set('k', new Uint8Array([1]), { ttlMs: 60_000 })
    expect(await opened.store.get('k')).toEqual(new Uint8Array([1]))
    expect(await opened.store.take('b', bucket)).toMatchObject({ allowed: true })
    expect(await opened.store.add('n', 1)).toBeGreaterThan(0)
    expect(await Array.fromAsync(opened.store.keys('k'))).toEqual(['k'])
    expect(await opened.store.delete('k')).toBe(true)
    expect(opened.lines.map(({ message }) => message)).toEqual(['Redis is in use'])
    await server.command('DEL', 'gatehouse:bucket:b')
  })

  test.each([
    ['without the password', () => `redis://${at}`, 'it asks for a password'],
    ['with a wrong password', () => `redis://:wrong-word@${at}`, 'it refuses the user or the password'],
    ['with a wrong user', () => `redis://nobody:wrong-word@${at}`, 'it refuses the user or the password'],
    ['with a user who may do too little', () => `redis://guest:${encoded}@${at}`, 'the user may not do what gatehouse needs'],
    ['with a database that is not there', () => `redis://:right-word@${at}/99`, 'it has no database of that number'],
    ['of no socket', () => 'redis:///nowhere/redis.sock', 'there is no such socket'],
    ['of nobody', () => 'redis://:wrong-word@127.0.0.1:1', 'nothing listens there'],
    ['with TLS where there is none', () => `rediss://:right-word@${at}`, 'it does not answer'],
  ])('%s is refused with its reason, and no word of the password', async (_, url, reason) => {
    const from = performance.now()
    const opened = await openStore(url())
    expect(performance.now() - from).toBeLessThan(2000)
    expect(opened.store.state).toBe('down')
    expect(reasons(opened)).toEqual([reason])
    expect(JSON.stringify(opened.lines)).not.toMatch(/right-word|wrong-word|p@|p%40/)
    expect(await opened.store.take('b', bucket)).toMatchObject({ allowed: true })
    await opened.store.close()
  })

  test.each(needed)('with a user who may do all but %s is refused', async command => {
    const rights = needed.filter(name => name !== command).map(name => `+${name}`)
    await server.command('ACL', 'SETUSER', `no-${command}`, 'on', '>some-word', '~gatehouse:*', ...rights)
    await using opened = await openStore(`redis://no-${command}:some-word@${at}/7`)
    expect(opened.store.state).toBe('down')
    expect(reasons(opened)).toEqual(['the user may not do what gatehouse needs'])
  })

  test('of a Unix socket is used', async () => {
    await using plain = await startRedis({ args: () => ['--unixsocket', 'redis.sock'] })
    await using opened = await openStore(`redis://${plain.folder}/redis.sock?db=2`)
    expect(opened.store.state).toBe('up')
  })

  test('of a password that is set only later is used once it is', async () => {
    await using plain = await startRedis()
    await plain.command('ACL', 'SETUSER', 'late', 'on', '>old-word', '~*', '+@all')
    await using opened = await openStore(`redis://late:new-word@127.0.0.1:${plain.port}`)
    expect(opened.store.state).toBe('down')
    await plain.command('ACL', 'SETUSER', 'late', '>new-word')
    expect(await opened.until('up')).toBeLessThan(2000)
  })
})

describe('something else that listens', () => {
  const listen = async (onConnection: Parameters<typeof createServer>[1] & object) => {
    const server: Server = createServer(onConnection)
    const port = await listenOnFreePort(server)
    return { port, [Symbol.asyncDispose]: () => new Promise<void>(resolve => server.close(() => resolve())) }
  }

  test('and never says a word is down after a second', async () => {
    await using silent = await listen(socket => void socket.resume())
    await using opened = await openStore(`redis://127.0.0.1:${silent.port}`)
    expect(reasons(opened)).toEqual(['it does not answer'])
  })

  test('and does not speak Redis is down', async () => {
    await using web = await listen(socket => {
      socket
        .on('error', () => {})
        .resume()
        .end('HTTP/1.1 400 Bad Request\r\n\r\n')
    })
    await using opened = await openStore(`redis://127.0.0.1:${web.port}`)
    expect(reasons(opened)).toEqual(['the connection was closed'])
  })
})

describe.skipIf(redisMissing)('TLS', () => {
  test('is used with a certificate that is trusted, and only for its host', async () => {
    const { cert, key } = makeCertificate()
    await using server = await startRedis({
      args: port => [
        ...['--port', '0', '--tls-port', String(port), '--bind', '127.0.0.1 127.0.0.2', '--tls-auth-clients', 'no'],
        ...['--tls-cert-file', 'cert.pem', '--tls-key-file', 'key.pem', '--tls-ca-cert-file', 'cert.pem'],
      ],
      files: { 'cert.pem': cert, 'key.pem': key },
    })
    await using opened = await openStore(`rediss://127.0.0.1:${server.port}`)
    expect(reasons(opened)).toEqual(['its certificate is not trusted'])

    writeFileSync(join(server.folder, 'ca.pem'), cert)
    const looks = ['127.0.0.1', 'localhost', '127.0.0.2'].map(async host => {
      const child = Bun.spawn([process.execPath, join(import.meta.dir, 'testing', 'look.ts'), `rediss://${host}:${server.port}`], {
        env: { ...process.env, NODE_EXTRA_CA_CERTS: join(server.folder, 'ca.pem') },
        stdout: 'pipe',
        stderr: 'inherit',
      })
      return (await child.stdout.text()).trim()
    })
    expect(await Promise.all(looks)).toEqual(['up 1000000', 'up 1000000', 'down: its certificate is for another host'])
  })
})

describe.skipIf(redisMissing)('a Redis Cluster', () => {
  test('is refused, because keys lie on several nodes', async () => {
    const args = (port: number) => ['--cluster-enabled', 'yes', '--cluster-port', String(port - 10_000)]
    await using first = await startRedis({ args })
    await using second = await startRedis({ args })
    await first.command('CLUSTER', 'ADDSLOTSRANGE', '0', '8191')
    await second.command('CLUSTER', 'ADDSLOTSRANGE', '8192', '16383')
    await first.command('CLUSTER', 'MEET', '127.0.0.1', String(second.port), String(second.port - 10_000))
    const isWhole = async () => /cluster_state:ok[\s\S]*cluster_size:2/.test(String(await first.command('CLUSTER', 'INFO')))
    while (!(await isWhole())) await Bun.sleep(50)
    await using opened = await openStore(first.url)
    expect(reasons(opened)).toEqual(['it is a node of a Redis Cluster, which is not supported'])
  })
})
