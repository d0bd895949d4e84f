import { describe, expect, test } from 'bun:test'
import { listNames, resolveName } from './env-names.ts'
import { plainNames } from './plain-names.ts'
import { fileSchema } from './schema.ts'
import { formatPath } from './tree.ts'
import { tryConfig } from './try-config.ts'

describe('the path behind GATEHOUSE_…', () => {
  const tree = { backends: { Home: {}, 'gpu-box': { headers: { 'X-Team': 'a' } } }, router: { deep: { er: 1 } } }
  test.each<[string, string | undefined]>([
    ['PORT', 'port'],
    ['API_KEY', 'api_key'],
    ['ADMIN_API_KEY', 'admin.api_key'],
    ['DATA_DIR', 'data_dir'],
    ['TIMEOUT', 'timeout'],
    ['TIMEOUTS_FIRST_TOKEN', 'timeouts.first_token'],
    ['MODELS', 'models'],
    ['PIPELINE', 'pipeline'],
    ['BACKENDS_HOME_BASE_URL', 'backends.Home.base_url'],
    ['BACKENDS_GPU_BOX_API_KEY', 'backends.gpu-box.api_key'],
    ['BACKENDS_GPU_BOX_HEADERS_X_TEAM', 'backends.gpu-box.headers.X-Team'],
    ['BACKENDS_GPU_BOX_HEADERS_X_NEW', 'backends.gpu-box.headers.x_new'],
    ['BACKENDS_NEW_TYPE', 'backends.new.type'],
    ['BACKENDS_MY_NEW_BASE_URL', 'backends.my_new.base_url'],
    ['BACKENDS_NEW_TIMEOUTS_IDLE', 'backends.new.timeouts.idle'],
    ['BACKENDS_NEW_DELAY', 'backends.new.delay'],
    ['CACHE_TTL', 'cache.ttl'],
    ['ROUTER_DEEP_ER', 'router.deep.er'],
    ['MCP_ALLOW_TOOLS', 'mcp.allow_tools'],
    ['TLS_CERT_FILE', 'tls.cert_file'],
    ['LLAMA_SERVER_PATH', 'llama_server_path'],
    ['MCP_SERVERS', 'mcp.servers'],
    ['CACHE_DEEP_ER', undefined],
    ['PLUGINS_CONFIGS_MINE_COLOR', 'plugins.configs.mine.color'],
    ['PRT', undefined],
    ['TIMEOUTS', undefined],
    ['BACKENDS', undefined],
    ['BACKENDS_HOME', undefined],
    ['BACKENDS_NEW', undefined],
    ['BACKENDS_NEW_BASEURL', undefined],
    ['MODELS_0_NAME', undefined],
    ['PORT_X', undefined],
    ['OPTIONS_A', undefined],
    ['', undefined],
  ])('%s', (name, path) => {
    const found = resolveName(fileSchema, tree, name, 'text')
    expect(found && formatPath(found)).toBe(path as string)
  })

  test.each<[string, string]>([
    ['TIMEOUTS', 'timeouts'],
    ['BACKENDS', 'backends'],
    ['BACKENDS_HOME', 'backends.Home'],
    ['BACKENDS_NEW', 'backends.new'],
    ['CACHE', 'cache'],
  ])('%s with JSON', (name, path) => {
    expect(formatPath(resolveName(fileSchema, tree, name, '{"a":1}') ?? [])).toBe(path)
  })

  test('every name that is suggested is understood', () => {
    for (const name of listNames(fileSchema, {})) {
      if (!/^(BACKENDS|PLUGINS_CONFIGS|ROUTER)$/.test(name)) {
        expect([name, resolveName(fileSchema, {}, name, 'x') !== undefined]).toEqual([name, true])
      }
    }
  })
})

describe('plain names', () => {
  test.each<[string, string, Record<string, unknown>]>([
    ['TLS_ENABLED', 'false', { tls: { enabled: false } }],
    ['TLS_CERT_FILE', '/c', { tls: { cert_file: '/c' } }],
    ['LOG_FILE', '/l', { log: { file: '/l' } }],
    ['LOG_FORMAT', 'JSON', { log: { format: 'json' } }],
    ['OLLAMA_AUTOSTART', 'no', { ollama_autostart: false }],
    ['INTROSPECTION_ENABLED', 'f', { introspection: { enabled: false } }],
    ['INTROSPECTION_HARDWARE_DETAIL_LEVEL', 'full', { introspection: { hardware_detail_level: 'full' } }],
    ['INTROSPECTION_CHAT_INJECT_INCLUDE_LLAMAGATE_INFO', '0', { introspection: { chat_inject_include_llamagate_info: false } }],
    ['MEMORY_DIR', '/m', { memory: { dir: '/m' } }],
    ['MEMORY_PINNED_MAX', '-1', { memory: { pinned_max: 50 } }],
    ['MEMORY_MAX_ENTRY_CHARS', '7', { memory: { max_entry_chars: 7 } }],
    ['MCP_ENABLED', 'true', { mcp: { enabled: true } }],
    ['MCP_ALLOW_TOOLS', 'mcp.a.* mcp.b.*,mcp.c.*', { mcp: { allow_tools: ['mcp.a.*', 'mcp.b.*', 'mcp.c.*'] } }],
    ['MCP_MAX_TOTAL_TOOL_CALLS', '3', { mcp: { max_total_tool_calls: 3 } }],
    ['MCP_MAX_TOOL_RESULT_SIZE', '2MiB', { mcp: { max_tool_result_size: 2_097_152 } }],
    ['MCP_CONNECTION_POOL_SIZE', '0', { mcp: { connection_pool_size: 10 } }],
    ['MCP_TOOL_EXECUTION_TIMEOUT', '1s', { mcp: { tool_execution_timeout: 1000 } }],
    ['CACHE_ENABLED', 'off', { cache: { enabled: false } }],
    ['CACHE_MAX_BYTES', '1KiB', { cache: { max_bytes: 1024 } }],
    ['CACHE_MODE', 'all', { cache: { mode: 'all' } }],
    ['REDIS_URL', 'rediss://a:1', { redis: { url: 'rediss://a:1' } }],
    ['METRICS_TOKEN', ' k ', { metrics: { token: 'k' } }],
    ['PLUGINS_ENABLED', 'false', { plugins: { enabled: false } }],
  ])('%s=%s', async (name, value, expected) => {
    const { config, sources } = await tryConfig({ env: { [name]: value } })
    expect(config).toMatchObject(expected)
    expect(sources.get(plainNames[name]?.join('.') ?? '')).toBe(`environment ${name}`)
  })

  test.each([
    ['DEBUG', 'app:*', 'neither true nor false'],
    ['LOG_FORMAT', 'console', 'none of auto, json, text'],
    ['INTROSPECTION_HARDWARE_DETAIL_LEVEL', 'all', 'none of minimal, standard, full'],
  ])('%s=%s is not meant for us', async (name, value, why) => {
    const { warnings } = await tryConfig({ env: { [name]: value } })
    expect(warnings).toEqual([`environment ${name}: ignored, because "${value}" is ${why}`])
  })

  test.each(['localhost:6379', 'me:s3cret@h:1', 'http://s3cret'])('REDIS_URL=%s is not meant for us', async REDIS_URL => {
    const { warnings, config } = await tryConfig({ env: { REDIS_URL } })
    expect(warnings).toEqual(['environment REDIS_URL: ignored, because it is no address that starts with redis:// or rediss://'])
    expect(config.redis.url).toBeUndefined()
  })

  test('an IPv6 address in brackets begins no list', async () => {
    const { config } = await tryConfig({ env: { ALLOWED_HOSTS: '[::1],a' } })
    expect(config.allowed_hosts).toEqual(['::1', 'a'])
  })
})

test('plain names mean settings that exist', () => {
  for (const path of Object.values(plainNames)) {
    expect(resolveName(fileSchema, {}, path.join('_').toUpperCase(), 'x')).toEqual([...path])
  }
})

describe('GATEHOUSE_ values', () => {
  test('GATEHOUSE_SERVER is for commands: no setting, and no warning', async () => {
    const { warnings } = await tryConfig({
      env: { GATEHOUSE_SERVER: 'http://gate.example' },
      files: { '.env': 'GATEHOUSE_SERVER=http://x' },
    })
    expect(warnings).toEqual([])
  })

  test('build a backend from nothing', async () => {
    const { config, zeroConfig } = await tryConfig({
      env: { GATEHOUSE_BACKENDS_HOME_TYPE: 'ollama', GATEHOUSE_BACKENDS_HOME_BASE_URL: 'http://h:1', GATEHOUSE_DEFAULT_BACKEND: 'home' },
    })
    expect(config.backends).toMatchObject({ home: { type: 'ollama', base_url: 'http://h:1' } })
    expect(zeroConfig).toBe(false)
  })
  test('add to a whole mapping given at once', async () => {
    const { config } = await tryConfig({
      env: { GATEHOUSE_BACKENDS_A_API_KEY: '007', GATEHOUSE_BACKENDS: '{"a": {"type": "openai"}, "b": {"type": "echo"}}' },
      files: { 'gatehouse.yaml': 'backends: { c: { type: echo } }' },
    })
    expect(Object.keys(config.backends)).toEqual(['a', 'b'])
    expect(config.backends.a).toMatchObject({ api_key: '007' })
  })
  test('take models as JSON', async () => {
    const { config } = await tryConfig({
      env: { GATEHOUSE_MODELS: '[{"name": "m", "targets": [{"backend": "e"}]}]', GATEHOUSE_BACKENDS_E: '{"type": "echo"}' },
    })
    expect(config.models).toMatchObject([{ name: 'm', targets: [{ backend: 'e', weight: 1 }] }])
  })
  test('for a plugin are read as YAML would, unless that loses characters', async () => {
    const { config } = await tryConfig({
      env: {
        GATEHOUSE_MINE_A: '10',
        GATEHOUSE_MINE_B: '007',
        GATEHOUSE_MINE_C: 'true',
        GATEHOUSE_MINE_D: '[1, a]',
        GATEHOUSE_MINE_E: '1h',
        GATEHOUSE_MINE_F: 'a: b: c',
        GATEHOUSE_MINE_G: '{"h": 1}',
        GATEHOUSE_PIPELINE: 'mine,router',
      },
    })
    expect(config.options.mine).toEqual({ a: 10, b: '007', c: true, d: [1, 'a'], e: '1h', f: 'a: b: c', g: { h: 1 } })
  })
  test.each<[string, string]>([
    ['GATEHOUSE_PRT', '; did you mean GATEHOUSE_PORT?'],
    ['GATEHOUSE_BACKENDS_HOME_BASEURL', '; did you mean GATEHOUSE_BACKENDS_HOME_BASE_URL?'],
    ['GATEHOUSE_SOMETHING_ELSE_ENTIRELY', ''],
  ])('%s only warns', async (name, hint) => {
    const { warnings } = await tryConfig({ env: { [name]: 'x' }, files: { 'gatehouse.yaml': 'backends: { home: { type: openai } }' } })
    expect(warnings).toEqual([`environment ${name}: ignored, because there is no such setting${hint}`])
  })
  test('that Kubernetes sets for a service named gatehouse are passed over', async () => {
    const { config, warnings } = await tryConfig({
      env: {
        GATEHOUSE_PORT: 'tcp://10.0.0.1:11435',
        GATEHOUSE_PORT_11435_TCP_ADDR: '10.0.0.1',
        GATEHOUSE_SERVICE_HOST: '10.0.0.1',
        GATEHOUSE_HEARTBEAT: '5s',
      },
    })
    expect(config).toMatchObject({ port: 11_435, heartbeat: 5000 })
    expect(warnings).toEqual(['environment GATEHOUSE_PORT: ignored, because Kubernetes sets it for a service named gatehouse'])
  })
  test('of a broken line in .env: a warning with its number', async () => {
    const { warnings, shown } = await tryConfig({ files: { '.env': 'A=1\nnonsense' } })
    expect(warnings.map(shown)).toEqual(['CWD/.env: line 2 is ignored, because it is not NAME=VALUE'])
  })
})
