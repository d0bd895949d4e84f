import { fakeChild, openServers } from './open-servers.ts'

/** A house with one MCP server; says the ids of the server and of what it has started, and stays. */
const mcp = openServers([fakeChild('one')])
process.stdout.write(`${await mcp.text('one', 'grandchildren')}\n`)
setInterval(() => {}, 1_000)
