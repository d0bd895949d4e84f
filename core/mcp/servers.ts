import type { Config } from '../config/schema.ts'
import type { Logger } from '../log.ts'
import { hideAll, secretsOf } from '../secrets.ts'
import { McpFailure } from './mcp-failure.ts'
import { createServer, type McpServer } from './server.ts'
import { type McpTimes, usualMcpTimes } from './times.ts'
import type { ListKind, McpChange, McpConfig, McpServerConfig, McpServers, Of } from './types.ts'

export interface McpServersOptions {
  readonly log: Logger
  /** Children get the safe part of it. */
  readonly env: NodeJS.ProcessEnv
  /** The command that starts the shim of a child; by default it is ourselves. */
  readonly runner?: readonly string[] | undefined
  readonly times?: Partial<McpTimes>
}

interface Kept {
  /** What of the config it was made from. */
  readonly key: string
  readonly server: McpServer
}

/** No server yet: `configure` brings them. They belong to the house and outlive its configs. */
export function createMcpServers({ log, env, runner, times: given }: McpServersOptions): McpServers {
  const times = { ...usualMcpTimes, ...given }
  const listeners = new Set<(change: McpChange) => void>()
  /** Those that are on their way out, by name: who follows one waits for it. */
  const ending = new Map<string, { readonly server: McpServer; readonly gone: Promise<void> }>()
  let kept: ReadonlyMap<string, Kept> = new Map()
  let settings: McpConfig | undefined
  let lists: Partial<Record<ListKind, readonly unknown[]>> = {}
  let closed = false

  const onChange = (change: McpChange) => {
    if (change.what !== 'state') lists = { ...lists, [change.what]: undefined }
    for (const listener of listeners) {
      try {
        listener(change)
      } catch (err) {
        log.error({ err }, 'a listener to MCP servers failed')
      }
    }
  }
  const listOf = <K extends ListKind>(kind: K): readonly Of<K>[] => {
    const known = lists[kind] ?? [...kept.values()].flatMap(({ server }) => server.list(kind))
    lists[kind] = known
    return known as readonly Of<K>[]
  }
  const find = (name: string): McpServer => {
    const server = kept.get(name)?.server
    if (!server) throw new McpFailure('unknown', `there is no MCP server "${name}"`)
    return server
  }
  const start = (config: McpServerConfig): McpServer => {
    const { name } = config
    const server: McpServer = createServer({
      config,
      settings: () => settings as McpConfig, // there is none before the first `configure`
      env,
      runner,
      log,
      times,
      hide: hideAll(secretsOf({ mcp: { servers: [config] } } as unknown as Config)),
      after: ending.get(name)?.gone ?? Promise.resolve(),
      onChange: change => kept.get(name)?.server === server && onChange(change),
    })
    return server
  }
  const retire = (name: string, server: McpServer) => {
    const gone = Promise.all([ending.get(name)?.gone, server.retire()]).then(() => {
      if (ending.get(name)?.server === server) ending.delete(name)
    })
    ending.set(name, { server, gone })
  }

  return {
    configure(mcp) {
      if (closed) return
      const isNew = settings === undefined || sharedOf(mcp) !== sharedOf(settings)
      settings = mcp
      const wanted = mcp.servers.map(server => ({ ...server, enabled: mcp.enabled && server.enabled }))
      const keys = new Map(wanted.map(config => [config.name, JSON.stringify(config)]))
      const before = kept
      for (const [name, { key, server }] of before) if (keys.get(name) !== key) retire(name, server)
      kept = new Map(
        wanted.map(config => {
          const key = keys.get(config.name) as string
          const old = before.get(config.name)
          return [config.name, old?.key === key ? old : { key, server: start(config) }]
        }),
      )
      for (const [name, { server }] of kept) if (isNew && before.get(name)?.server === server) server.settingsChanged()
      lists = {}
      const changed = new Set([...before.keys(), ...kept.keys()].filter(name => before.get(name)?.server !== kept.get(name)?.server))
      for (const server of changed)
        for (const what of ['state', 'tools', 'resources', 'resourceTemplates', 'prompts'] as const) onChange({ server, what })
    },
    servers: () => [...kept.values()].map(({ server }) => server.row()),
    server: name => kept.get(name)?.server.row(),
    tools: () => listOf('tools'),
    resources: () => listOf('resources'),
    resourceTemplates: () => listOf('resourceTemplates'),
    prompts: () => listOf('prompts'),
    call: async ({ server, tool, args, ...request }) => find(server).use(request, (to, limits) => to.call(tool, args, limits)),
    readResource: async ({ server, uri, ...request }) => find(server).use(request, (to, limits) => to.read(uri, limits)),
    getPrompt: async ({ server, prompt, args, ...request }) => find(server).use(request, (to, limits) => to.prompt(prompt, args, limits)),
    async refresh(name) {
      const asked = name === undefined ? [...kept.values()].map(({ server }) => server) : [find(name)]
      return Promise.all(asked.map(server => server.refresh()))
    },
    check: async name => find(name).check(),
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async close(graceMs) {
      closed = true
      const all = [...[...kept.values()].map(({ server }) => server), ...[...ending.values()].map(({ server }) => server)]
      await Promise.all(all.map(server => server.close(graceMs)))
    },
  }
}

const sharedOf = ({ servers: _, ...shared }: McpConfig) => JSON.stringify(shared)
