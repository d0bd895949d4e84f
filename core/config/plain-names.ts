import { parseListenHost } from './address.ts'
import type { Path } from './tree.ts'

const inSection = (section: string, ...keys: readonly string[]): Record<string, Path> =>
  Object.fromEntries(keys.map(key => [`${section}_${key}`.toUpperCase(), [section, key]]))

/** Names without the prefix that gatehouse listens to, and what they set. Most are LlamaGate's. */
export const plainNames: Readonly<Record<string, Path>> = {
  HOST: ['host'],
  PORT: ['port'],
  ...inSection('tls', 'enabled', 'cert_file', 'key_file'),
  AUTH: ['auth'],
  API_KEY: ['api_key'],
  ADMIN_API_KEY: ['admin', 'api_key'],
  ALLOWED_HOSTS: ['allowed_hosts'],
  CORS_ORIGINS: ['cors_origins'],
  TRUSTED_PROXIES: ['trusted_proxies'],
  DATA_DIR: ['data_dir'],
  MAX_BODY_SIZE: ['max_body_size'],
  TIMEOUT: ['timeout'],
  HEALTH_CHECK_TIMEOUT: ['health_check_timeout'],
  SHUTDOWN_TIMEOUT: ['shutdown_timeout'],
  RATE_LIMIT_RPS: ['rate_limit_rps'],
  DEBUG: ['debug'],
  ...inSection('log', 'file', 'format'),
  OLLAMA_HOST: ['ollama_host'],
  OLLAMA_AUTOSTART: ['ollama_autostart'],
  DEFAULT_BACKEND: ['default_backend'],
  ...inSection('introspection', 'enabled', 'hardware_enabled', 'hardware_detail_level', 'chat_inject_enabled'),
  ...inSection('introspection', 'chat_inject_include_hardware', 'chat_inject_include_models', 'chat_inject_include_llamagate_info'),
  ...inSection('memory', 'enabled', 'dir', 'pinned_max', 'recent_max', 'max_entry_chars'),
  ...inSection('cache', 'enabled', 'ttl', 'max_entries', 'max_bytes', 'mode', 'scope', 'persist', 'replay_rate'),
  ...inSection('mcp', 'enabled', 'max_tool_rounds', 'max_tool_calls_per_round', 'max_total_tool_calls', 'default_tool_timeout'),
  ...inSection('mcp', 'max_tool_result_size', 'allow_tools', 'deny_tools', 'connection_pool_size', 'connection_idle_time'),
  ...inSection('mcp', 'health_check_interval', 'health_check_timeout', 'cache_ttl', 'resource_fetch_timeout', 'tool_execution_timeout'),
  ...inSection('redis', 'url'),
  ...inSection('metrics', 'token'),
  ...inSection('plugins', 'enabled'),
}

/** Why a plain name is not listened to: other programs mean something else by it, or LlamaGate took anything. */
export const passedOver: Readonly<Record<string, (text: string) => string | undefined>> = {
  // Shells and containers export HOST as the name of the machine, which nobody meant for us.
  HOST: text => (parseListenHost(text) === undefined ? quoted(text, 'neither an IP address nor localhost') : undefined),
  DEBUG: text => (/^(true|false|yes|no|on|off|t|f|0|1)$/i.test(text) ? undefined : quoted(text, 'neither true nor false')),
  LOG_FORMAT: text => (/^(auto|json|text)$/i.test(text) ? undefined : quoted(text, 'none of auto, json, text')),
  INTROSPECTION_HARDWARE_DETAIL_LEVEL: text =>
    /^(minimal|standard|full)$/i.test(text) ? undefined : quoted(text, 'none of minimal, standard, full'),
  // many programs have a Redis, and write HOST:PORT; there may be a password in it
  REDIS_URL: text => (/^rediss?:\/\//i.test(text) ? undefined : 'it is no address that starts with redis:// or rediss://'),
}

const quoted = (text: string, what: string) => `${JSON.stringify(text)} is ${what}`
