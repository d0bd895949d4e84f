import type { Gateway } from 'gatehouse'

type Config = Gateway['config']

/** The settings LlamaGate has, in its names and units: durations are nanoseconds. */
export function llamagateConfig(config: Config) {
  const { introspection, memory, mcp, tls } = config
  const ollama = Object.values(config.backends).find(({ type }) => type === 'ollama')
  return {
    OllamaHost: config.ollama_host ?? (ollama && 'base_url' in ollama ? ollama.base_url : ''),
    APIKey: config.api_key ?? config.api_key_sha256 ?? '',
    RateLimitRPS: config.rate_limit_rps,
    Debug: config.debug,
    Port: String(config.port),
    LogFile: config.log.file ?? '',
    Timeout: nanoseconds(config.timeout),
    HealthCheckTimeout: nanoseconds(config.health_check_timeout),
    ShutdownTimeout: nanoseconds(config.shutdown_timeout),
    MCP: mcp.enabled || mcp.servers.length > 0 ? describeMcp(mcp) : null,
    TLSEnabled: tls.enabled,
    TLSCertFile: tls.cert_file ?? '',
    TLSKeyFile: tls.key_file ?? '',
    Introspection: {
      Enabled: introspection.enabled,
      Hardware: { Enabled: introspection.hardware_enabled, DetailLevel: introspection.hardware_detail_level },
      ChatInject: {
        Enabled: introspection.chat_inject_enabled,
        IncludeHardware: introspection.chat_inject_include_hardware,
        IncludeModels: introspection.chat_inject_include_models,
        IncludeLlamaGateInfo: introspection.chat_inject_include_llamagate_info,
      },
    },
    Memory: {
      Enabled: memory.enabled,
      Dir: memory.dir ?? '',
      Limits: { PinnedMax: memory.pinned_max, RecentMax: memory.recent_max, MaxEntryChars: memory.max_entry_chars },
    },
  }
}

const describeMcp = (mcp: Config['mcp']) => ({
  Enabled: mcp.enabled,
  MaxToolRounds: mcp.max_tool_rounds,
  MaxToolCallsPerRound: mcp.max_tool_calls_per_round,
  MaxTotalToolCalls: mcp.max_total_tool_calls,
  DefaultToolTimeout: nanoseconds(mcp.default_tool_timeout),
  MaxToolResultSize: mcp.max_tool_result_size,
  AllowTools: mcp.allow_tools,
  DenyTools: mcp.deny_tools,
  Servers: mcp.servers.map(server => ({
    Name: server.name,
    Enabled: server.enabled,
    Transport: server.transport,
    Command: server.command ?? '',
    Args: server.args,
    Env: server.env,
    URL: server.url ?? '',
    Headers: server.headers,
    Timeout: nanoseconds(server.timeout),
  })),
  ConnectionPoolSize: mcp.connection_pool_size,
  ConnectionIdleTime: nanoseconds(mcp.connection_idle_time),
  HealthCheckInterval: nanoseconds(mcp.health_check_interval),
  HealthCheckTimeout: nanoseconds(mcp.health_check_timeout),
  CacheTTL: nanoseconds(mcp.cache_ttl),
  ResourceFetchTimeout: nanoseconds(mcp.resource_fetch_timeout),
  ToolExecutionTimeout: nanoseconds(mcp.tool_execution_timeout),
})

const nanoseconds = (ms: number) => Math.round(ms * 1e6)
