import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Fetch } from './http-fetch.ts'
import type { McpServerConfig } from './types.ts'

/** A transport of the SDK to a server with an address: Streamable HTTP, or the older HTTP with SSE. */
export function createHttpTransport({ transport, url: written = '', headers: own }: McpServerConfig, fetch: Fetch) {
  const { url, headers } = withoutUser(new URL(written), own)
  const options = { fetch, requestInit: { headers } }
  return transport === 'sse'
    ? new SSEClientTransport(url, options)
    : new StreamableHTTPClientTransport(url, { ...options, reconnectionOptions: reconnection })
}

/** Of a stream that has ended, not of the server. After that, pings and the lists' own time tell what has changed. */
const reconnection = { initialReconnectionDelay: 500, maxReconnectionDelay: 30_000, reconnectionDelayGrowFactor: 2, maxRetries: 5 }

/** `fetch` takes no user and password in an address; they are a header. */
function withoutUser(url: URL, own: Readonly<Record<string, string>>) {
  if (url.username === '' && url.password === '') return { url, headers: { ...own } }
  const pair = Buffer.from(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`).toString('base64')
  const plain = new URL(url)
  plain.username = ''
  plain.password = ''
  const isGiven = Object.keys(own).some(name => name.toLowerCase() === 'authorization')
  return { url: plain, headers: { ...(!isGiven && { authorization: `Basic ${pair}` }), ...own } }
}
