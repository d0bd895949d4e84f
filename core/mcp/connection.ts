import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { SseError } from '@modelcontextprotocol/sdk/client/sse.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import {
  PromptListChangedNotificationSchema,
  ResourceListChangedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { version } from '../version.ts'
import { within } from '../within.ts'
import { createAsk } from './ask.ts'
import { type ConnectionRequests, requestsOn } from './connection-requests.ts'
import { keepOrder } from './keep-order.ts'
import { orAborted } from './limits.ts'
import { McpFailure } from './mcp-failure.ts'
import { type AnyTransport, openTransport, type TransportOptions } from './open-transport.ts'
import { translate } from './translate.ts'
import type { ListKind, McpAbout } from './types.ts'

/** A server that is there and has been greeted. Whatever fails is an McpFailure, or the reason of the signal. */
export interface Connection extends ConnectionRequests {
  readonly about: McpAbout
  /** How long nothing has come from it. */
  silentMs(): number
  /** Resolves with why, when it is no more; requests that it had are rejected then. */
  readonly lost: Promise<string>
  isLost(): boolean
  lose(why: string): void
  /** Resolves when nothing of it is left. */
  close(graceMs: number): Promise<void>
}

export interface ConnectOptions extends Omit<TransportOptions, 'onHeard'> {
  readonly steady: () => number
  readonly onListChanged: (kind: ListKind) => void
  /** The connection may be at fault: look at it. */
  readonly onTrouble: () => void
}

/** For a server that could not be greeted. */
const goodbyeMs = 2_000

/** Nothing of ours checks what tools give back against their schemas. */
const noValidator = { getValidator: () => (input: unknown) => ({ valid: true, data: input, errorMessage: undefined }) as never }

/** Starts or reaches a server and greets it. When that fails nothing is left of it. */
export async function connect(options: ConnectOptions, signal: AbortSignal): Promise<Connection> {
  const { steady, tell, onListChanged, onTrouble } = options
  let heardAt = steady()
  const onHeard = () => {
    heardAt = steady()
  }
  const transport = openTransport({ ...options, onHeard })
  const isChild = 'stop' in transport // which knows better why it ended
  const client = new Client({ name: 'gatehouse', version }, { capabilities: {}, jsonSchemaValidator: noValidator })
  const lost = Promise.withResolvers<string>()
  let lostWhy: string | undefined
  let isOpen = false
  const lose = (why: string) => {
    if (lostWhy !== undefined) return
    lostWhy = why
    lost.resolve(why)
    client.close().catch(() => {})
  }
  client.onclose = () => isOpen && !isChild && lose('the connection ended')
  client.onerror = error => {
    if (lostWhy !== undefined) return
    tell('debug', translate(error).message)
    if (!isOpen) return
    if (error instanceof SseError)
      lose('its event stream ended') // and its session with it
    else if (error.message.startsWith('SSE stream disconnected')) onTrouble()
  }
  if (isChild) transport.over.then(lose)

  const close = async (graceMs: number) => {
    const deadline = steady() + graceMs
    if (transport instanceof StreamableHTTPClientTransport && isOpen && lostWhy === undefined) {
      await within(
        graceMs,
        transport.terminateSession().catch(() => {}),
      )
    }
    lostWhy ??= 'it was closed'
    lost.resolve(lostWhy)
    const stopped = isChild && transport.stop(Math.max(0, deadline - steady()))
    await client.close().catch(() => {})
    await stopped
  }

  client.setNotificationHandler(ToolListChangedNotificationSchema, () => onListChanged('tools'))
  client.setNotificationHandler(PromptListChangedNotificationSchema, () => onListChanged('prompts'))
  client.setNotificationHandler(ResourceListChangedNotificationSchema, () => {
    onListChanged('resources')
    onListChanged('resourceTemplates')
  })
  try {
    // a transport that is lost rejects what it was asked
    await orAborted(signal, client.connect(transport, { timeout: 2 ** 31 - 1 }))
    isOpen = true
    keepOrder(transport)
  } catch (error) {
    const why = lostWhy as string | undefined
    await close(goodbyeMs)
    if (signal.aborted) throw signal.reason
    throw why === undefined ? translate(error) : new McpFailure('unavailable', why, { cause: error })
  }

  return {
    about: aboutOf(client, transport),
    ...requestsOn(client, createAsk(onTrouble), tell),
    silentMs: () => steady() - heardAt,
    lost: lost.promise,
    isLost: () => lostWhy !== undefined,
    lose,
    close,
  }
}

function aboutOf(client: Client, transport: AnyTransport): McpAbout {
  const { name = '', version = '' } = client.getServerVersion() ?? {}
  return {
    name,
    version,
    protocolVersion: 'protocolVersion' in transport ? transport.protocolVersion : undefined,
    instructions: client.getInstructions(),
    capabilities: Object.keys(client.getServerCapabilities() ?? {}).toSorted(),
  }
}
