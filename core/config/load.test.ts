import { describe, expect, test } from 'bun:test'
import type { LoadedConfig } from './load.ts'
import { complaints, type Machine, tryConfig } from './try-config.ts'

const yaml = (text: string) => ({ 'gatehouse.yaml': text })

describe('with nothing configured', () => {
  test('every default stands', async () => {
    const { config, sources, file, warnings, zeroConfig, shown } = await tryConfig({})
    expect(shown(config.data_dir)).toBe('HOME/.gatehouse')
    expect<unknown>({ ...config, data_dir: '' }).toEqual({
      host: '127.0.0.1',
      port: 11_435,
      auth: 'auto',
      admin: {},
      allowed_hosts: [],
      cors_origins: ['http://localhost', 'http://127.0.0.1', 'http://[::1]', 'https://localhost', 'https://127.0.0.1', 'https://[::1]'],
      trusted_proxies: [],
      data_dir: '',
      max_body_size: 33_554_432,
      timeout: 300_000,
      timeouts: { queue: 120_000, load: 600_000, first_token: 300_000, idle: 300_000, total: Number.POSITIVE_INFINITY },
      heartbeat: 10_000,
      health_check_timeout: 5000,
      shutdown_timeout: 30_000,
      rate_limit_rps: 50,
      debug: false,
      pipeline: ['auth', 'limiter', 'cache', 'quota', 'mcp-tools', 'router'],
      backends: {},
      models: [],
      plugins: { configs: {} },
      limiter: {},
      cache: {},
      quota: {},
      mcp: {},
      redis: {},
      log: {},
      introspection: {},
      metrics: {},
      router: {},
      options: {},
    })
    expect(new Set(sources.values())).toEqual(new Set(['default']))
    expect(file).toBeUndefined()
    expect(warnings).toEqual([])
    expect(zeroConfig).toBe(true)
  })

  test('an empty file changes nothing', async () => {
    const { config, zeroConfig } = await tryConfig({ files: yaml('# nothing yet\n') })
    expect(config.port).toBe(11_435)
    expect(zeroConfig).toBe(true)
  })

  test('keys without a value, empty lists and empty variables count as not set', async () => {
    const files = yaml('port:\napi_key:\nbackends:\nlimiter:\nallowed_hosts: []\n')
    const { config } = await tryConfig({ files, env: { PORT: '', TIMEOUT: ' ', GATEHOUSE_HOST: '' } })
    expect(config).toMatchObject({ port: 11_435, timeout: 300_000, host: '127.0.0.1', limiter: {}, backends: {} })
    expect(config.api_key).toBeUndefined()
  })
})

test('the example of the handbook is understood', async () => {
  const text = `
host: 127.0.0.1
port: 11435
auth: auto                     # auto | required | off
pipeline: [auth, limiter, cache, quota, mcp-tools, router]
backends:
  home: { type: ollama, base_url: http://localhost:11434 }
  box:  { type: vllm, base_url: http://10.0.0.5:8000, api_key: \${BOX_KEY}, headers: {}, timeouts: {} }
default_backend: home
models:
  - name: smart                # one or several places to send it
    aliases: [gpt-4o]
    strategy: failover
    targets: [ { backend: box, model: Qwen/Qwen3-32B, weight: 1, set: {}, strip: [] }, { backend: home, model: qwen3:8b } ]
    context_length: 32768
    max_output_tokens: 4096
limiter: {}
cache: {}
quota: {}
mcp: {}
redis: { url: redis://localhost:6379, on_error: local }
log: {}
plugins: { configs: {} }
`
  const { config, zeroConfig, sources, shown } = await tryConfig({ files: yaml(text), env: { BOX_KEY: ' s3cret ' } })
  expect(config.backends).toEqual({
    home: { type: 'ollama', base_url: 'http://localhost:11434', headers: {}, timeouts: {} },
    box: { type: 'vllm', base_url: 'http://10.0.0.5:8000', api_key: 's3cret', headers: {}, timeouts: {} },
  })
  expect(config.models).toEqual([
    {
      name: 'smart',
      aliases: ['gpt-4o'],
      strategy: 'failover',
      targets: [
        { backend: 'box', model: 'Qwen/Qwen3-32B', weight: 1, set: {}, strip: [] },
        { backend: 'home', model: 'qwen3:8b', weight: 1, set: {}, strip: [] },
      ],
      context_length: 32_768,
      max_output_tokens: 4096,
    },
  ])
  expect(config.redis).toEqual({ url: 'redis://localhost:6379', on_error: 'local' })
  expect(zeroConfig).toBe(false)
  expect(shown(sources.get('port'))).toBe('CWD/gatehouse.yaml')
  expect(shown(sources.get('backends.box.base_url'))).toBe('CWD/gatehouse.yaml')
})

describe('which source wins', () => {
  const everywhere = {
    argv: { port: 6666 },
    env: { GATEHOUSE_PORT: '5555', PORT: '4444' },
    files: { '.env': 'GATEHOUSE_PORT=3333\nPORT=2222', 'gatehouse.yaml': 'port: 1111' },
  }
  test.each<[string, Machine, number, string]>([
    ['command line', everywhere, 6666, 'command line'],
    ['prefixed name', { ...everywhere, argv: {} }, 5555, 'environment GATEHOUSE_PORT'],
    ['plain name (A4)', { ...everywhere, argv: {}, env: { PORT: '4444' } }, 4444, 'environment PORT'],
    ['prefixed name in .env', { ...everywhere, argv: {}, env: {} }, 3333, '.env GATEHOUSE_PORT'],
    ['plain name in .env', { files: { '.env': 'PORT=2222', 'gatehouse.yaml': 'port: 1111' } }, 2222, '.env PORT'],
    ['an empty variable leaves it to .env', { files: { '.env': 'PORT=2222' }, env: { PORT: '' } }, 2222, '.env PORT'],
    ['file (A5)', { files: { 'gatehouse.yaml': 'port: "3333"' } }, 3333, 'CWD/gatehouse.yaml'],
    ['environment over file (A5)', { files: { 'gatehouse.yaml': 'port: "3333"' }, env: { PORT: '4444' } }, 4444, 'environment PORT'],
    ['default', {}, 11_435, 'default'],
    ['undefined on the command line says nothing', { argv: { port: undefined } }, 11_435, 'default'],
  ])('%s', async (_, machine, port, source) => {
    const { config, sources, shown } = await tryConfig(machine)
    expect(config.port).toBe(port)
    expect(shown(sources.get('port'))).toBe(source)
  })

  test('port 0 means any free one, on the command line alone', async () => {
    const { config, sources } = await tryConfig({ argv: { port: 0 }, files: yaml('port: 1111') })
    expect(config.port).toBe(0)
    expect(sources.get('port')).toBe('command line')
  })

  test('a dotted path on the command line reaches inside', async () => {
    const { config } = await tryConfig({
      argv: { 'timeouts.total': '1h', 'backends.home.base_url': 'http://b:1' },
      files: yaml('backends: { home: { type: vllm, base_url: "http://a:1" } }'),
    })
    expect(config.timeouts.total).toBe(3_600_000)
    expect(config.backends.home).toMatchObject({ type: 'vllm', base_url: 'http://b:1' })
  })
})

describe('which file is read', () => {
  test.each<[string, Machine, string | undefined, number]>([
    [
      'the given one',
      { argv: { config: 'x/my.yaml' }, files: { 'x/my.yaml': 'port: 1', 'gatehouse.yaml': 'port: 2' } },
      'CWD/x/my.yaml',
      1,
    ],
    ['the given one, below home', { argv: { config: '~/my.yaml' }, files: { '~/my.yaml': 'port: 1' } }, 'HOME/my.yaml', 1],
    ['the one here', { files: { 'gatehouse.yaml': 'port: 2', '~/.gatehouse/gatehouse.yaml': 'port: 3' } }, 'CWD/gatehouse.yaml', 2],
    ['the one at home', { files: { '~/.gatehouse/gatehouse.yaml': 'port: 3' } }, 'HOME/.gatehouse/gatehouse.yaml', 3],
    ['none: older gateways come later', { files: { 'llamagate.yaml': 'port: 4', 'config.yaml': 'port: 4' } }, undefined, 11_435],
  ])('%s', async (_, machine, file, port) => {
    const tried = await tryConfig(machine)
    expect(tried.shown(tried.file)).toBe(file as string)
    expect(tried.config.port).toBe(port)
  })

  test.each<[string, Machine, string]>([
    ['a missing --config', { argv: { config: 'x.yaml' } }, 'CWD/x.yaml: there is no such file; --config must name one'],
    ['a folder', { files: { 'gatehouse.yaml/': '' } }, 'CWD/gatehouse.yaml: must be a regular file'],
    [
      'broken YAML (A7)',
      { files: yaml('port: 1\nhost: [a\nb: c: d\n') },
      'CWD/gatehouse.yaml: is not valid YAML near line 2: Unexpected token',
    ],
    ['a list', { files: yaml('- port: 1') }, 'CWD/gatehouse.yaml: must be one YAML mapping of keys and values'],
    ['two documents', { files: yaml('port: 1\n---\nport: 2') }, 'CWD/gatehouse.yaml: must be one YAML mapping of keys and values'],
  ])('%s stops the start', async (_, machine, line) => {
    expect(await complaints(machine)).toEqual([line])
  })
})

describe('relative paths', () => {
  const files = { '~/.gatehouse/gatehouse.yaml': 'data_dir: data\npipeline: [auth, ./mine.ts, ~/yours.ts, router]' }
  test('of the file are relative to the file', async () => {
    const { config, shown } = await tryConfig({ files })
    expect(shown(config.data_dir)).toBe('HOME/.gatehouse/data')
    expect(config.pipeline.map(shown)).toEqual(['auth', 'HOME/.gatehouse/mine.ts', 'HOME/yours.ts', 'router'])
  })
  test('of the environment are relative to the working directory', async () => {
    const { config, shown } = await tryConfig({ files, env: { DATA_DIR: 'd', GATEHOUSE_PIPELINE: 'auth,./mine.ts' } })
    expect(shown(config.data_dir)).toBe('CWD/d')
    expect(config.pipeline.map(shown)).toEqual(['auth', 'CWD/mine.ts'])
  })
})

describe('HOST', () => {
  test.each<[string, string, string | undefined]>([
    ['0.0.0.0', '0.0.0.0', undefined],
    ['localhost', 'localhost', undefined],
    ['[::]', '::', undefined],
    ['my-laptop', '127.0.0.1', 'environment HOST: ignored, because "my-laptop" is neither an IP address nor localhost'],
  ])('%p', async (HOST, host, warning) => {
    const { config, warnings } = await tryConfig({ env: { HOST } })
    expect(config.host).toBe(host)
    expect(warnings).toEqual(warning ? [warning] : [])
  })
  test('leaves the file its say when it is ignored', async () => {
    const { config } = await tryConfig({ env: { HOST: 'my-laptop' }, files: yaml('host: 10.0.0.1') })
    expect(config.host).toBe('10.0.0.1')
  })
  test.each<[Machine, string]>([
    [{ files: yaml('host: my-laptop') }, 'CWD/gatehouse.yaml: host: '],
    [{ env: { GATEHOUSE_HOST: 'my-laptop' } }, 'environment GATEHOUSE_HOST: host: '],
    [{ argv: { host: 'my-laptop' } }, 'command line: host: '],
  ])('anywhere else must be right: %p', async (machine, start) => {
    expect(await complaints(machine)).toEqual([
      `${start}must be an IP address or localhost (0.0.0.0 or :: for every interface), not "my-laptop"`,
    ])
  })
})

describe('OLLAMA_HOST', () => {
  const home = 'backends: { home: { type: vllm, base_url: "http://a:1" } }'
  const ollama = 'backends: { ollama: { type: ollama, base_url: "http://a:1", api_key: k } }'
  const ignored = 'environment OLLAMA_HOST: ignored, because backends are configured and none of them is named ollama with type ollama'

  test.each<[string, Machine, Record<string, string>, string[]]>([
    ['makes the backend', { env: { OLLAMA_HOST: 'http://b:2/v1/' } }, { ollama: 'http://b:2' }, []],
    ['makes it from the file too', { files: yaml('ollama_host: http://b:2') }, { ollama: 'http://b:2' }, []],
    [
      'overrides the address',
      { env: { OLLAMA_HOST: 'http://b:2' }, files: yaml(ollama) },
      { ollama: 'http://a:1'.replace('a:1', 'b:2') },
      [],
    ],
    [
      'gives way to a closer name',
      { env: { OLLAMA_HOST: 'http://b:2', GATEHOUSE_BACKENDS_OLLAMA_BASE_URL: 'http://c:3' }, files: yaml(ollama) },
      { ollama: 'http://c:3' },
      [],
    ],
    ['is ignored beside other backends', { env: { OLLAMA_HOST: 'http://b:2' }, files: yaml(home) }, { home: 'http://a:1' }, [ignored]],
    ['may then be nonsense', { env: { OLLAMA_HOST: '0.0.0.0' }, files: yaml(home) }, { home: 'http://a:1' }, [ignored]],
    [
      'is ignored when ollama is something else',
      { env: { OLLAMA_HOST: 'http://b:2' }, files: yaml(ollama.replace('type: ollama', 'type: vllm')) },
      { ollama: 'http://a:1' },
      [ignored],
    ],
  ])('%s', async (_, machine, expected, warned) => {
    const { config, warnings, zeroConfig } = await tryConfig(machine)
    const addresses = Object.entries(config.backends).map(([name, backend]) => [name, 'base_url' in backend ? backend.base_url : ''])
    expect(Object.fromEntries(addresses)).toEqual(expected)
    expect(warnings).toEqual(warned)
    expect(zeroConfig).toBe(false)
  })

  test('is named as the source of the address', async () => {
    const { sources } = await tryConfig({ env: { OLLAMA_HOST: 'http://b:2' } })
    expect(sources.get('backends.ollama.base_url')).toBe('environment OLLAMA_HOST')
  })
})

describe('what a value may look like', () => {
  test.each<[string, Machine, Partial<LoadedConfig['config']>]>([
    ['TIMEOUT=30m (A3)', { env: { TIMEOUT: '30m' } }, { timeout: 1_800_000 }],
    [
      'TIMEOUT=1m30s (A3)',
      { env: { TIMEOUT: '1m30s' } },
      { timeout: 90_000, timeouts: { queue: 120_000, load: 600_000, first_token: 90_000, idle: 90_000, total: Number.POSITIVE_INFINITY } },
    ],
    ['a key of digits', { env: { API_KEY: '0012345' } }, { api_key: '0012345' }],
    ['a key with spaces around', { env: { API_KEY: '  k  ' } }, { api_key: 'k' }],
    ['the admin key', { env: { ADMIN_API_KEY: 'a' } }, { admin: { api_key: 'a' } }],
    ['DEBUG=yes', { env: { DEBUG: 'yes' } }, { debug: true }],
    ['DEBUG=0', { env: { DEBUG: '0' } }, { debug: false }],
    ['debug: true', { files: yaml('debug: true') }, { debug: true }],
    ['AUTH=OFF', { env: { AUTH: 'OFF' } }, { auth: 'off' }],
    ['auth: off', { files: yaml('auth: off') }, { auth: 'off' }],
    ['a rate', { env: { RATE_LIMIT_RPS: '0.5' } }, { rate_limit_rps: 0.5 }],
    ['a size', { env: { MAX_BODY_SIZE: '1MiB' } }, { max_body_size: 1_048_576 }],
    ['a size in bytes', { files: yaml('max_body_size: 1024') }, { max_body_size: 1024 }],
    ['SHUTDOWN_TIMEOUT=-1s', { env: { SHUTDOWN_TIMEOUT: '-1s' } }, { shutdown_timeout: 30_000 }],
    ['SHUTDOWN_TIMEOUT=0', { env: { SHUTDOWN_TIMEOUT: '0' } }, { shutdown_timeout: 30_000 }],
    ['a list with commas', { env: { ALLOWED_HOSTS: 'a, B.example.org,' } }, { allowed_hosts: ['a', 'b.example.org'] }],
    ['a list as JSON', { env: { ALLOWED_HOSTS: '["a","b"]' } }, { allowed_hosts: ['a', 'b'] }],
    ['a list as YAML', { env: { ALLOWED_HOSTS: '[a, b]' } }, { allowed_hosts: ['a', 'b'] }],
    ['a list as text in the file', { files: yaml('allowed_hosts: a,b') }, { allowed_hosts: ['a', 'b'] }],
    ['proxies', { env: { TRUSTED_PROXIES: '10.0.0.0/8,::1' } }, { trusted_proxies: ['10.0.0.0/8', '::1'] }],
    ['every origin', { env: { CORS_ORIGINS: '*' } }, { cors_origins: '*' }],
    ['every origin in the file', { files: yaml("cors_origins: '*'") }, { cors_origins: '*' }],
    ['every origin in a list', { files: yaml("cors_origins: [http://a, '*']") }, { cors_origins: '*' }],
    ['no origin', { files: yaml('cors_origins: []') }, { cors_origins: [] }],
    ['an origin', { env: { CORS_ORIGINS: 'https://Chat.example.org/' } }, { cors_origins: ['https://chat.example.org'] }],
  ])('%s', async (_, machine, expected) => {
    expect((await tryConfig(machine)).config).toMatchObject(expected as Record<string, unknown>)
  })
})

describe('backends', () => {
  const backend = async (text: string) => (await tryConfig({ files: yaml(`backends: { x: ${text} }`) })).config.backends.x
  const none = { headers: {}, timeouts: {} }
  test.each<[string, unknown]>([
    ['{ type: ollama, base_url: "http://a:1/v1/" }', { type: 'ollama', base_url: 'http://a:1', ...none }],
    ['{ type: openai }', { type: 'openai', base_url: 'https://api.openai.com', ...none }],
    ['{ type: openai, base_url: "https://b/v1", api_key: k }', { type: 'openai', base_url: 'https://b', api_key: 'k', ...none }],
    ['{ type: echo }', { type: 'echo', delay: 0 }],
    ['{ type: echo, delay: 50ms }', { type: 'echo', delay: 50 }],
    [
      '{ type: llamacpp, base_url: "http://a", models: [m], headers: { X-Team: red } }',
      { type: 'llamacpp', base_url: 'http://a', models: ['m'], headers: { 'X-Team': 'red' }, timeouts: {} },
    ],
    [
      '{ type: api3, base_url: "http://a", timeouts: { first_token: 1m, idle: none } }',
      { type: 'api3', base_url: 'http://a', headers: {}, timeouts: { first_token: 60_000, idle: Number.POSITIVE_INFINITY } },
    ],
  ])('%s', async (text, expected) => {
    expect(await backend(text)).toEqual(expected as never)
  })
})

describe('plugins of the user', () => {
  const pipeline = 'pipeline: [auth, ./mine.ts, my-plugin, router]\n'
  test('bring sections, which are kept under options', async () => {
    const { config } = await tryConfig({ files: yaml(`${pipeline}my-plugin: { color: red }\nmine: { a: 1 }\noptions: { b: 2 }`) })
    expect(config.options).toEqual({ 'my-plugin': { color: 'red' }, mine: { a: 1 }, options: { b: 2 } })
  })
  test('can be set from the environment', async () => {
    const { config, warnings, sources } = await tryConfig({
      files: yaml(`${pipeline}mine: { a: 1, deep: { er: 1 } }`),
      env: { GATEHOUSE_MY_PLUGIN_COLOR: 'red', GATEHOUSE_MINE_A: '2', GATEHOUSE_MINE_DEEP_ER: '[3]', GATEHOUSE_YOURS_A: '1' },
    })
    expect(config.options).toEqual({ mine: { a: 2, deep: { er: [3] } }, 'my-plugin': { color: 'red' } })
    expect(sources.get('my-plugin.color')).toBe('environment GATEHOUSE_MY_PLUGIN_COLOR')
    expect(warnings).toEqual(['environment GATEHOUSE_YOURS_A: ignored, because there is no such setting'])
  })
  test('may bring the backend a model names', async () => {
    const { warnings, shown } = await tryConfig({ files: yaml(`${pipeline}models: [{ name: m, targets: [{ backend: far }] }]`) })
    expect(warnings.map(shown)).toEqual([
      'CWD/gatehouse.yaml: models[0].targets[0].backend: names a backend that is not configured: "far"; there are no backends',
    ])
  })
})

test('sections of built-in plugins are kept as they are', async () => {
  const { config } = await tryConfig({
    files: yaml('cache: { ttl: 1h, x: ~ }\nplugins: { configs: { a: { b: [1] } } }'),
    env: { GATEHOUSE_CACHE_MAX_ENTRIES: '10' },
  })
  expect(config.cache).toEqual({ ttl: '1h', x: null, max_entries: 10 })
  expect(config.plugins.configs).toEqual({ a: { b: [1] } })
})
