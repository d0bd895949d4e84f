import { expect, test } from 'bun:test'
import { failureOf, fakeChild, openServers } from './testing/open-servers.ts'

test('what a server repeats of its secrets is in no message, no row and no line of the log', async () => {
  const secret = 'Tokenvalue-8f3b2c'
  await using echo = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async request => new Response(`you sent ${request.headers.get('authorization')} ${await request.text()}`, { status: 200 }),
  })
  await using mcp = openServers([
    {
      name: 'web',
      transport: 'http',
      url: `http://127.0.0.1:${echo.port}/mcp?key=${secret}`,
      headers: { Authorization: `Bearer ${secret}` },
    },
    { name: 'bad', command: `/nowhere/${secret}/server`, args: ['--token', secret] },
    fakeChild('child', 'well', { env: { GITHUB_TOKEN: secret } }),
  ])
  await Promise.all([mcp.stateOf('web', 'unhealthy'), mcp.stateOf('bad', 'unhealthy'), mcp.stateOf('child', 'healthy')])
  const failure = await failureOf(mcp.call({ server: 'web', tool: 'echo' }))
  expect(failure + JSON.stringify(mcp.servers()) + mcp.lines.join('\n')).not.toContain(secret)
})
