import { expect, test } from 'bun:test'
import { createServer, type Server } from 'node:net'
import { listenOnFreePort } from '../../testing/server/free-port.ts'
import { canListen, portChooser } from './choose-port.ts'

const free = async () => true
const close = (server: Server) => new Promise(resolve => server.close(resolve))

test('goes on behind the last one, and begins again', async () => {
  const choose = portChooser(9000, free)
  const ports: number[] = []
  for (let i = 0; i < 65; i++) {
    const lease = await choose()
    ports.push(lease.port)
    lease.release()
  }
  expect(ports).toEqual([...Array.from({ length: 64 }, (_, index) => 9000 + index), 9000])
})

test('gives none twice at once, however many ask together', async () => {
  const choose = portChooser(9000, async () => {
    await Bun.sleep(1)
    return true
  })
  const leases = await Promise.all(Array.from({ length: 100 }, choose))
  expect(new Set(leases.map(({ port }) => port)).size).toBe(100)
  expect(Math.min(...leases.map(({ port }) => port))).toBe(9000)
})

test('skips those that are taken, and goes beyond the usual ones for the first that is not', async () => {
  const choose = portChooser(9000, async port => port % 3 === 0 && port !== 9003)
  expect([(await choose()).port, (await choose()).port]).toEqual([9000, 9006])
  expect((await portChooser(9000, async port => port > 9500)()).port).toBe(9501)
})

test('one that was given back is given again; twice is once', async () => {
  const choose = portChooser(65_534, free)
  const [first, second] = [await choose(), await choose()]
  expect([first.port, second.port]).toEqual([65_534, 65_535])
  await expect(choose()).rejects.toThrow('there is no free port from 65534 on; change port_range_start')
  first.release()
  const third = await choose()
  expect(third.port).toBe(65_534)
  first.release()
  await expect(choose()).rejects.toThrow('there is no free port')
})

test('a look that fails takes no port', async () => {
  let fails = true
  const choose = portChooser(9000, async () => {
    if (fails) throw new Error('no sockets left')
    return true
  })
  await expect(choose()).rejects.toThrow('no sockets left')
  fails = false
  const ports = await Promise.all(Array.from({ length: 64 }, async () => (await choose()).port))
  expect(Math.max(...ports)).toBe(9063)
})

test.each(['127.0.0.1', '0.0.0.0'])('a port that somebody listens on at %s is taken', async host => {
  const server = createServer()
  const port = await listenOnFreePort(server)
  await close(server)
  await new Promise<void>(resolve => server.listen(port, host, resolve))
  expect(await canListen(port)).toBe(false)
  await close(server)
})

test('what it gives can be listened on', async () => {
  const choose = portChooser(21_000)
  // somebody else on this machine may be faster once, but not each time
  const tries = await Promise.all(Array.from({ length: 5 }, choose))
  const listening = await Promise.allSettled(
    tries.map(async ({ port }) => {
      const server = createServer()
      expect(await listenOnFreePort(server, port)).toBe(port)
      await close(server)
    }),
  )
  expect(listening.map(({ status }) => status)).toContain('fulfilled')
})

test('a port that somebody is willing to share is taken', async () => {
  const sharing = Bun.serve({ port: 0, hostname: '127.0.0.1', reusePort: true, fetch: () => new Response() })
  expect(await canListen(sharing.port as number)).toBe(false)
  await sharing.stop(true)
})
