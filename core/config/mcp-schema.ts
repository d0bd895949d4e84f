import * as v from 'valibot'
import { bytes, countOr, duration, flag, integer } from './amounts.ts'
import { anyCase, given } from './patterns.ts'
import { key, list, mapping } from './settings.ts'
import { argument, choice, commandLine, secretUrl, secretWords, text } from './texts.ts'

const serverName = v.pipe(
  text,
  v.regex(/^[A-Za-z0-9_-]+$/, 'is not a name for an MCP server; use letters, digits, "_" and "-"'),
  v.check(name => name !== 'health', 'must not be "health", which is a path of its own'),
  v.metadata({ not: { const: 'health' } }),
)

/** For editors: what a server needs beside its transport. */
const needs = (transports: readonly string[], name: string) => ({
  if: {
    required: ['transport'],
    properties: { transport: { type: 'string', pattern: `^\\s*(${transports.map(anyCase).join('|')})\\s*$` } },
  },
  // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
  then: given(name),
})

const serverSchema = mapping(
  v.pipe(
    v.strictObject({
      name: key(serverName, 'Its tools are called mcp.<name>.<tool>.'),
      enabled: v.optional(key(flag, 'Use this server.'), true),
      transport: v.optional(key(choice('stdio', 'http', 'sse'), 'How to talk to it; left out, a command means stdio and a url http.')),
      command: v.optional(key(commandLine, 'stdio: the program to start.')),
      args: v.optional(key(list(argument), 'stdio: its arguments.'), []),
      env: v.optional(key(mapping(v.record(v.string(), secretWords)), 'stdio: variables for its environment.'), {}),
      url: v.optional(key(secretUrl('http', 'https'), 'http and sse: its address.')),
      headers: v.optional(key(mapping(v.record(v.string(), secretWords)), 'http and sse: headers to send.'), {}),
      timeout: v.optional(key(duration(), 'Longest wait for one of its answers.'), '30s'),
    }),
    v.metadata({
      allOf: [needs(['stdio'], 'command'), needs(['http', 'sse'], 'url'), { anyOf: ['transport', 'command', 'url'].map(given) }],
    }),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return
      const { transport, command, url } = dataset.value
      const complain = (name: string, message: string) =>
        addIssue({ message, path: [{ type: 'object', origin: 'value', input: dataset.value, key: name, value: undefined }] })
      const kind = transport ?? (command !== undefined ? 'stdio' : url !== undefined ? 'http' : undefined)
      if (kind === undefined) complain('transport', 'is missing; write stdio with a command, or http or sse with a url')
      if (kind === 'stdio' && command === undefined) complain('command', 'is missing; with transport stdio it names the program to start')
      if ((kind === 'http' || kind === 'sse') && url === undefined) {
        complain('url', `is missing; with transport ${kind} it is the address of the server`)
      }
    }),
    v.transform(server => ({
      ...server,
      transport: server.transport ?? (server.command !== undefined ? ('stdio' as const) : ('http' as const)),
    })),
  ),
)

/** A list of globs; LlamaGate also took them apart at spaces. */
const globs = v.pipe(
  list(text),
  v.transform(items => items.flatMap(item => item.split(/\s+/))),
)

/** MCP servers and the limits of the tool loop; LlamaGate's names. */
export const mcpSchema = mapping(
  v.pipe(
    v.strictObject({
      enabled: v.optional(key(flag, 'Let models use the tools of MCP servers; left out, yes when there are servers.')),
      inject: v.optional(
        key(choice('auto', 'requested', 'never'), 'When tools are offered to a model: by itself, when the request names them, or never.'),
        'auto',
      ),
      max_tool_rounds: v.optional(key(integer(1), 'Most turns with tool calls in one request.'), 10),
      max_tool_calls_per_round: v.optional(key(integer(1), 'Most tool calls in one turn.'), 10),
      max_total_tool_calls: v.optional(key(integer(1), 'Most tool calls in one request.'), 50),
      default_tool_timeout: v.optional(key(duration(), 'Longest run of a tool in a chat.'), '30s'),
      max_tool_result_size: v.optional(key(bytes, 'Longest result of a tool; the rest is cut off.'), 1_048_576),
      allow_tools: v.optional(key(globs, 'Patterns of tools that may be used; empty means all. Match the whole name: mcp.files.*'), []),
      deny_tools: v.optional(key(globs, 'Patterns of tools that may not be used; they win over allow_tools.'), []),
      connection_pool_size: v.optional(key(countOr(10), 'Most connections to one server.'), 10),
      connection_idle_time: v.optional(key(duration(), 'Unused connections are closed after this long.'), '5m'),
      health_check_interval: v.optional(key(duration(), 'Time between two checks of the servers.'), '60s'),
      health_check_timeout: v.optional(key(duration(), 'Longest check of a server.'), '5s'),
      cache_ttl: v.optional(key(duration(), 'How long lists of tools, resources and prompts are kept.'), '5m'),
      resource_fetch_timeout: v.optional(key(duration(), 'Longest read of an mcp:// resource.'), '30s'),
      tool_execution_timeout: v.optional(key(duration(), 'Longest run of a tool called through /v1/mcp/execute.'), '30s'),
      servers: v.optional(key(list(serverSchema), 'The MCP servers.'), []),
    }),
    // a section with servers in it means them, unless it says `enabled: false`
    v.transform(mcp => ({ ...mcp, enabled: mcp.enabled ?? mcp.servers.length > 0 })),
  ),
)
