// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test
import { describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LoadedConfig, loadConfig } from './load.ts'
import { showConfig } from './show.ts'
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
      ollama_autostart: true,
      port_range_start: 8081,
      max_loaded_models: 2,
      health_check_sec: 30,
      groups: {},
      queue: { max_length: 256, weights: {} },
      breaker: {
        enabled: true,
        failures: 5,
        failure_rate: 0.5,
        min_requests: 20,
        window: 60_000,
        cooldown: 10_000,
        max_cooldown: 300_000,
      },
      plugins: { enabled: true, configs: {} },
      tls: { enabled: false },
      log: { format: 'auto' },
      introspection: {
        enabled: true,
        hardware_enabled: true,
        hardware_detail_level: 'minimal',
        chat_inject_enabled: false,
        chat_inject_include_hardware: true,
        chat_inject_include_models: true,
        chat_inject_include_llamagate_info: true,
      },
      memory: { enabled: true, pinned_max: 50, recent_max: 100, max_entry_chars: 500 },
      database: {},
      limiter: { rpm: 60 },
      cache: { enabled: true, ttl: 3_600_000, max_entries: 1000, max_bytes: 67_108_864, mode: 'auto', scope: 'auto', persist: false },
      quota: { default_tokens: 1_000_000 },
      redis: { on_error: 'local' },
      mcp: {
        enabled: false,
        inject: 'auto',
        max_tool_rounds: 10,
        max_tool_calls_per_round: 10,
        max_total_tool_calls: 50,
        default_tool_timeout: 30_000,
        max_tool_result_size: 1_048_576,
        allow_tools: [],
        deny_tools: [],
        connection_pool_size: 10,
        connection_idle_time: 300_000,
        health_check_interval: 60_000,
        health_check_timeout: 5000,
        cache_ttl: 300_000,
        resource_fetch_timeout: 30_000,
        tool_execution_timeout: 30_000,
        servers: [],
      },
      metrics: { open: false },
      workers: { threads: 1, digest_from: 524_288, tokens_from: 0, budget: 5000 },
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
    expect(config).toMatchObject({ port: 11_435, timeout: 300_000, host: '127.0.0.1', limiter: { rpm: 60 }, backends: {} })
    expect(config.api_key).toBeUndefined()
  })
})

test('the example of the handbook is understood', async () => {
  const text = await Bun.file(`${import.meta.dir}/handbook.example.yaml`).text()
  const { config, zeroConfig, sources, warnings, shown } = await tryConfig({
    files: yaml(text),
    env: { BOX_KEY: ' s3cret ', MODELS: '/models' },
  })
  expect(config.backends).toEqual({
    home: { type: 'ollama', base_url: 'http://localhost:11434', headers: {}, timeouts: {} },
    box: { type: 'vllm', base_url: 'http://10.0.0.5:8000', api_key: 's3cret', headers: {}, timeouts: {} },
  })
  const placed = { aliases: [], strategy: 'failover' as const, targets: [], unlisted: false }
  const run = { health: '/health', env: {}, slots: 8, ttl: Number.POSITIVE_INFINITY, pin: false, preload: false }
  const server = { gpu_layers: -1, context_size: 4096, threads: 4, batch_size: 512, extra_args: [] }
  expect(config.models).toEqual([
    { ...placed, name: 'qwen3-8b', model_path: '/models/qwen3-8b-q4_k_m.gguf', ...server, ...run },
    { ...placed, name: 'whisper', command: 'whisper-server --port ${PORT} -m /models/whisper.bin', ...run },
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
      unlisted: false,
    },
  ])
  expect(config.redis).toEqual({ url: 'redis://localhost:6379', on_error: 'local' })
  expect(zeroConfig).toBe(false)
  expect(shown(sources.get('port'))).toBe('CWD/gatehouse.yaml')
  expect(shown(sources.get('backends.box.base_url'))).toBe('CWD/gatehouse.yaml')
  expect(warnings).toEqual([])
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
    ['gatehouse.yml', { files: { 'gatehouse.yml': 'port: 4', '~/.gatehouse/gatehouse.yaml': 'port: 3' } }, 'CWD/gatehouse.yml', 4],
    ['gatehouse.yml at home', { files: { '~/.gatehouse/gatehouse.yml': 'port: 5' } }, 'HOME/.gatehouse/gatehouse.yml', 5],
  ])('%s', async (_, machine, file, port) => {
    const tried = await tryConfig(machine)
    expect(tried.shown(tried.file)).toBe(file as string)
    expect(tried.config.port).toBe(port)
  })

  test.each(['', '~/.gatehouse/'])('gatehouse.yaml before gatehouse.yml in %p, and a line says so', async folder => {
    const files = { [`${folder}gatehouse.yaml`]: 'port: 1', [`${folder}gatehouse.yml`]: 'port: 2' }
    const { config, warnings, shown } = await tryConfig({ files })
    const place = folder.replace('~', 'HOME') || 'CWD/'
    expect(config.port).toBe(1)
    expect(warnings.map(shown)).toEqual([`${place}gatehouse.yml: is not read, because gatehouse.yaml lies beside it; keep one of them`])
    const named = await tryConfig({ files, argv: { config: `${folder}gatehouse.yml` } })
    expect(named.config.port).toBe(2)
    expect(named.warnings).toEqual([])
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

test('a home that is relative is relative to the working directory', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'gatehouse-config-'))
  const env = { HOME: 'me' }
  await Bun.write(join(cwd, 'me', '.gatehouse', 'gatehouse.yaml'), 'log: { file: "${HOME}/a.log" }')
  const { config, file } = await loadConfig({ argv: {}, env, cwd, home: env.HOME })
  rmSync(cwd, { recursive: true })
  expect(file).toBe(join(cwd, 'me', '.gatehouse', 'gatehouse.yaml'))
  expect(config.data_dir).toBe(join(cwd, 'me', '.gatehouse'))
  expect(config.log.file).toBe(join(cwd, 'me', 'a.log'))
})

describe('files and folders come out absolute', () => {
  const text = `
tls: { cert_file: c.pem, key_file: ../k.pem }
log: { file: ~/a.log }
memory: { dir: m }
database: { path: /d.db }
llama_server_path: ./bin/llama-server
models_dir: models
models: [{ name: a, model_path: a.gguf }, { name: b, command: ./serve, cwd: b }]
`
  const pathsOf = ({ tls, log, memory, database, llama_server_path, models_dir, models }: LoadedConfig['config']) => [
    tls.cert_file,
    tls.key_file,
    log.file,
    memory.dir,
    database.path,
    llama_server_path,
    models_dir,
    models[0]?.model_path,
    models[1]?.command,
    models[1]?.cwd,
  ]
  test('those of the file from its folder', async () => {
    const { config, shown } = await tryConfig({ files: { 'x/my.yaml': text }, argv: { config: 'x/my.yaml' } })
    expect(pathsOf(config).map(shown)).toEqual([
      'CWD/x/c.pem',
      'CWD/k.pem',
      'HOME/a.log',
      'CWD/x/m',
      '/d.db',
      'CWD/x/bin/llama-server',
      'CWD/x/models',
      'CWD/x/a.gguf',
      './serve',
      'CWD/x/b',
    ])
  })
  test('those of everywhere else from the working directory', async () => {
    const { config, shown } = await tryConfig({
      files: { 'x/my.yaml': text, '.env': 'LOG_FILE=b.log\nMG_DATABASE_PATH=e.db' },
      env: {
        TLS_CERT_FILE: 'd.pem',
        GATEHOUSE_LLAMA_SERVER_PATH: 'llama-server',
        GATEHOUSE_MODELS_DIR: 'm',
        GATEHOUSE_MODELS: '[{name: a, model_path: b.gguf}, {name: b, command: x, cwd: ~/c}]',
      },
      argv: { config: 'x/my.yaml', 'memory.dir': 'n' },
    })
    expect(pathsOf(config).map(shown)).toEqual([
      'CWD/d.pem',
      'CWD/k.pem',
      'CWD/b.log',
      'CWD/n',
      'CWD/e.db',
      'llama-server',
      'CWD/m',
      'CWD/b.gguf',
      'x',
      'HOME/c',
    ])
  })
})

describe('what is kept for a later release', () => {
  test.each<[string, string, string]>([
    ['mcp: { servers: [{ name: a, command: x }] }', 'mcp.servers', 'MCP'],
    ['metrics: { open: true }', 'metrics.open', '/metrics'],
    ['plugins: { enabled: true }', 'plugins.enabled', '/v1/plugins'],
  ])('%s is a warning', async (text, path, feature) => {
    const { warnings, shown } = await tryConfig({ files: yaml(text) })
    expect(warnings.map(shown)).toEqual([`CWD/gatehouse.yaml: ${path}: ${feature} is not part of this release yet; the setting is kept`])
  })
  test('one for each feature, with the source of the first setting', async () => {
    const env = { CACHE_ENABLED: 'true', CACHE_TTL: '1m', METRICS_TOKEN: 'x' }
    expect((await tryConfig({ env })).warnings).toEqual([
      'environment METRICS_TOKEN: metrics.token: /metrics is not part of this release yet; the setting is kept',
    ])
  })
  test.each([
    'cache: { enabled: false }',
    'redis: { url: "redis://a", on_error: deny }',
    'mcp: { enabled: false, servers: [{ name: a, command: x }] }',
    'plugins: { configs: { a: {} } }',
    'cache: {}\nmcp: {}\nlimiter:\nquota: {}',
  ])('%s is none', async text => {
    expect((await tryConfig({ files: yaml(text) })).warnings).toEqual([])
  })
  test.each(['models: [{ name: a, command: x }]', 'models_dir: m'])('%s is something that somebody configured', async text => {
    expect((await tryConfig({ files: yaml(text) })).zeroConfig).toBe(false)
  })
})

describe('a model that gatehouse runs', () => {
  const load = async (text: string, env = {}) => (await tryConfig({ files: yaml(text), env })).config.models
  test('has what was written', async () => {
    const text = `
groups: { big: { exclusive: true } }
models:
  - { name: a, command: x, health: /ready, env: { A: 1 }, stop: end, slots: 2, ttl: 10m, pin: yes, preload: on, load_timeout: none, group: big }
`
    expect((await load(text))[0]).toMatchObject({
      ...{ health: '/ready', env: { A: '1' }, stop: 'end', slots: 2, ttl: 600_000, pin: true, preload: true, group: 'big' },
      load_timeout: Number.POSITIVE_INFINITY,
    })
  })

  test('keeps what only its start knows, and gets the variables of the environment', async () => {
    const env = { KEY: 's3cret', API_KEY: 'ours', PORT: '1' }
    const texts = 'command: "s ${PORT} ${KEY} ${env.KEY}", stop: "e ${MODEL_ID}", env: { K: "${API_KEY}", P: "${env.PORT}", L: "$${X}" }'
    expect((await load(`models: [{ name: a, ${texts} }]`, env))[0]).toMatchObject({
      command: 's ${PORT} s3cret s3cret',
      stop: 'e ${MODEL_ID}',
      env: { K: '${API_KEY}', P: '1', L: '${X}' },
    })
  })

  test('is shown as it can be read again, without its secrets', async () => {
    const text =
      'groups: { g: {} }\nmodels: [{ name: a, command: "s --key ${KEY} ${PORT} ${API_KEY}", env: { T: "${KEY}" }, ttl: 90s, group: g, cwd: /c }]'
    const shown = showConfig((await tryConfig({ files: yaml(text), env: { KEY: 's3cret-s3cret' } })).config)
    expect(shown.models).toEqual([
      {
        ...{ name: 'a', aliases: [], strategy: 'failover', unlisted: false, command: 's --key <redacted> ${PORT} ${API_KEY}' },
        ...{ health: '/health', env: { T: '<redacted>' }, cwd: '/c', slots: 8, ttl: '1m30s', pin: false, preload: false, group: 'g' },
      },
    ])
    expect(await complaints({ files: yaml(Bun.YAML.stringify({ models: shown.models, groups: shown.groups })) })).toEqual([])
  })
})

test('a file of our own brings no notes', async () => {
  const { notes, format } = await tryConfig({ files: yaml('port: 1') })
  expect(notes).toEqual([])
  expect(format).toBe('gatehouse')
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

test('sections for the router and for plugins are kept as they are', async () => {
  const { config } = await tryConfig({
    files: yaml('router: { retries: 1, x: ~ }\nplugins: { configs: { a: { b: [1] } } }'),
    env: { GATEHOUSE_ROUTER_PAUSE: '10', GATEHOUSE_PLUGINS_CONFIGS_A_C: '1h' },
  })
  expect(config.router).toEqual({ retries: 1, x: null, pause: 10 })
  expect(config.plugins.configs).toEqual({ a: { b: [1], c: '1h' } })
})

test('quoted texts that only a backend or a plugin understands stay texts', async () => {
  const text = `
backends: { home: { type: ollama, base_url: 'http://localhost:11434' } }
models: [{ name: a, targets: [{ backend: home, set: { user: "123", flag: "true", stop: "a: b", n: 1 } }] }]
plugins: { configs: { mine: { flag: "true", header: "Authorization: x", list: ["1"] } } }
`
  const { config } = await tryConfig({ files: yaml(text) })
  expect(config.models[0]?.targets[0]?.set).toEqual({ user: '123', flag: 'true', stop: 'a: b', n: 1 })
  expect(config.plugins.configs.mine).toEqual({ flag: 'true', header: 'Authorization: x', list: ['1'] })
})
