import { expect, test } from 'bun:test'
import { freePort } from '../discover/testing.ts'
import { portsOf, whoListens } from './health-listener.ts'

const serve = (hostname: string, port = 0, reusePort = false) => Bun.serve({ port, hostname, reusePort, fetch: () => new Response() })
const stranger = 1

test.skipIf(process.platform !== 'linux').each(['127.0.0.1', '0.0.0.0', '::'])('tells who listens on %s', address => {
  const server = serve(address)
  const port = server.port as number
  expect(whoListens(port, [process.pid])).toBe('ours')
  expect(whoListens(port, [stranger, process.pid])).toBe('ours')
  expect(whoListens(port, [stranger])).toBe('theirs')
  expect(whoListens(port, [])).toBe('theirs')
  expect(portsOf([process.pid])).toContain(port)
  expect(portsOf([])).toEqual([])
  server.stop(true)
  expect(whoListens(port, [process.pid])).toBe('unknown')
})

test.skipIf(process.platform !== 'linux')('does not know when it may not look at one of the family', () => {
  const server = serve('127.0.0.1')
  const port = server.port as number
  expect(whoListens(port, [stranger, process.pid], () => undefined)).toBe('unknown')
  expect(whoListens(port, [stranger, process.pid], pid => (pid === stranger ? [] : undefined))).toBe('unknown')
  expect(whoListens(port, [stranger, process.pid], () => [])).toBe('theirs')
  server.stop(true)
})

test('does not know where nobody listens', async () => {
  expect(whoListens(await freePort(), [process.pid])).toBe('unknown')
})

test.skipIf(process.platform !== 'linux')('a port that is shared is not ours alone', async () => {
  const server = serve('127.0.0.1', 0, true)
  const script = `Bun.serve({ port: ${server.port}, hostname: '127.0.0.1', reusePort: true, fetch: () => new Response() }); console.log('listens')`
  const other = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe' })
  await other.stdout.getReader().read()
  expect(whoListens(server.port as number, [process.pid])).toBe('theirs')
  expect(whoListens(server.port as number, [process.pid, other.pid])).toBe('ours')
  other.kill()
  await other.exited
  server.stop(true)
})
