import { describe, expect, test } from 'bun:test'
import { complaints, type Machine, tryConfig } from '../try-config.ts'
import { example } from './testing.ts'

const place = 'configs/config.yaml'
const load = (text: string, more: Partial<Machine> = {}) => tryConfig({ ...more, files: { ...more.files, [place]: text } })

describe('the file', () => {
  test('every key of its table has its place', async () => {
    const { config, shown } = await load(example('modelgate/table.yaml').replace('api_key: ""', 'api_key: "123456"'))
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 8080,
      limiter: { rpm: 60 },
      quota: { default_tokens: 1_000_000 },
      timeout: 300_000,
      max_body_size: 5_242_880,
      admin: { api_key: '123456' },
      redis: { url: 'redis://localhost:6379' },
    })
    expect(shown(config.database.path)).toBe('CWD/data/modelgate.db')
  })

  test('brings its own defaults', async () => {
    const { config, sources } = await load('rate_limit: { rpm: 5 }')
    expect(config).toMatchObject({ port: 8080, max_body_size: 5_242_880, limiter: { rpm: 5 } })
    expect(sources.get('port')).toBe('default of ModelGate')
    expect(sources.get('max_body_size')).toBe('default of ModelGate')
    expect(sources.get('timeout')).toBe('default')
  })

  test('gives way to every variable', async () => {
    const { config } = await load(example('modelgate/table.yaml'), { env: { PORT: '1' }, files: { '.env': 'MG_RATE_LIMIT_RPM=7' } })
    expect(config).toMatchObject({ port: 1, limiter: { rpm: 7 } })
  })

  test('server.host opens it; without one it stays on loopback, and a line says how to open it', async () => {
    expect((await load('server: { host: 0.0.0.0 }')).config.host).toBe('0.0.0.0')
    const { config, warnings, shown } = await load('server: { port: 1 }')
    expect(config.host).toBe('127.0.0.1')
    expect(warnings.map(shown)).toEqual([
      'CWD/configs/config.yaml: ModelGate could be reached from other machines; gatehouse only from this one, unless you set server.host: 0.0.0.0 or HOST=0.0.0.0',
    ])
  })

  test('its adapters become backends, but for examples that need a key and for itself', async () => {
    const { config, warnings, shown } = await load(example('modelgate/shipped.yaml'))
    expect(config.backends).toMatchObject({
      ollama: { type: 'ollama', base_url: 'http://localhost:11434' },
      vllm: { type: 'vllm', base_url: 'http://localhost:8000' },
    })
    expect(Object.keys(config.backends)).toEqual(['ollama', 'vllm'])
    const left = warnings.map(shown).filter(line => line?.includes('adapters'))
    expect(left).toEqual([
      'CWD/configs/config.yaml: adapters.openai.base_url: is not taken over, because it needs a key; write backends.openai with an api_key in gatehouse.yaml',
      'CWD/configs/config.yaml: adapters.api3.base_url: is not taken over, because it needs a key; write backends.api3 with an api_key in gatehouse.yaml',
      'CWD/configs/config.yaml: adapters.llamacpp.base_url: is left out, because it is the address gatehouse itself listens on',
    ])
    const own = await load(
      'server: { port: 9 }\nadapters: { api3: { base_url: "http://10.0.0.1:1/v1" }, llamacpp: { base_url: "http://localhost:8080" } }',
    )
    expect(own.config.backends).toMatchObject({ api3: { base_url: 'http://10.0.0.1:1' }, llamacpp: { base_url: 'http://localhost:8080' } })
  })

  test('the list of backends and the limits of its first version', async () => {
    const text = example('modelgate/first.yaml').replace(
      'log:',
      '  - { type: "llama.cpp", url: "http://a:1" }\n  - { type: "ollama", url: "http://b:2" }\nlog:',
    )
    const { config } = await load(text)
    expect(config).toMatchObject({ host: '0.0.0.0', max_body_size: 5_242_880, timeout: 300_000, log: { format: 'text' } })
    expect(config.backends).toMatchObject({
      ollama: { type: 'ollama', base_url: 'http://localhost:11434' },
      llamacpp: { type: 'llamacpp', base_url: 'http://a:1' },
      'ollama-2': { type: 'ollama', base_url: 'http://b:2' },
    })
  })

  test.each<[string, number, string | undefined]>([
    ['300s', 300_000, undefined],
    ['30m', 1_800_000, undefined],
    ['1h', 1_800_000, 'CWD/configs/config.yaml: timeout: 1h is more than gatehouse waits for a backend that is silent; 30m it is'],
  ])('timeout %s', async (text, ms, warning) => {
    const { config, warnings, shown } = await load(`server: { host: localhost }\ntimeout: ${text}`)
    expect(config.timeout).toBe(ms)
    expect(warnings.map(shown)).toEqual(warning ? [warning] : [])
  })

  test('log.level debug is debug, the others are not', async () => {
    expect((await load('server: { host: localhost }\nlog: { level: debug, format: console }')).config).toMatchObject({
      debug: true,
      log: { format: 'text' },
    })
    expect((await load('server: { host: localhost }\nlog: { level: warn }')).config.debug).toBe(false)
  })

  test.each<[string, string]>([
    ['server: { port: x }', 'server.port: must be a whole number from 1 to 65535, not "x"'],
    ['server: [1]\nrate_limit: { rpm: 1 }', 'server: must be a mapping such as { host: … }'],
    ['server: { port: 1 }\ntimeout: 300', 'timeout: must be a duration such as 30s or 1m30s, longer than 0s and at most 30m, not 300'],
    ['rate_limit: { rpm: 0 }', 'rate_limit.rpm: must be a whole number from 1, not 0'],
    ['quota: { default_tokens: many }', 'quota.default_tokens: must be a whole number from 0, or none for no limit, not "many"'],
    ['server: { port: 1 }\nredis: { password: [x] }', 'redis.password: must be text in quotes'],
    ['redis: { addr: [x] }', 'redis.addr: must be HOST:PORT, for example localhost:6379'],
    ['redis: { addr: a, db: { x: 1 } }', 'redis.db: must be the number of a database, for example 0'],
    ['redis: { addr: localhost, db: two }', 'redis.db: must be the number of a database, for example 0'],
    ['server: { host: here }', 'server.host: must be an IP address or localhost (0.0.0.0 or :: for every interface), not "here"'],
    ['max_body_size: 5M', 'max_body_size: must be a number of bytes from 1, or a size such as 32MiB, not "5M"'],
  ])('%p is answered by its own name', async (text, problem) => {
    expect(await complaints({ files: { [place]: text } })).toEqual([`CWD/${place}: ${problem}`])
  })
})

describe('Redis in three keys', () => {
  const url = async (text: string, env = {}) => (await load(text, { env })).config.redis.url
  test.each<[string, Record<string, string>, string]>([
    ['redis: { addr: "a:1" }', {}, 'redis://a:1'],
    ['redis: { addr: a, db: 0 }', {}, 'redis://a:6379'],
    ['redis: { addr: "a:1", password: "p@:/ß", db: 2 }', {}, 'redis://:p%40%3A%2F%C3%9F@a:1/2'],
    ['redis: { db: 2, addr: "[::1]:1" }', {}, 'redis://[::1]:1/2'],
    ['redis: { addr: "a:1", password: p }', { MG_REDIS_ADDR: 'b:2' }, 'redis://:p@b:2'],
    ['redis: { addr: "a:1" }', { MG_REDIS_PASSWORD: 'q', MG_REDIS_DB: '3' }, 'redis://:q@a:1/3'],
    ['redis: { addr: "a:1" }', { REDIS_URL: 'redis://c:3' }, 'redis://c:3'],
  ])('%p with %p', async (text, env, expected) => {
    expect(await url(text, env)).toBe(expected)
  })
})

describe('MG_ names', () => {
  test.each<[string, string, Record<string, unknown>]>([
    ['MG_SERVER_PORT', '1', { port: 1 }],
    ['MG_SERVER_HOST', '0.0.0.0', { host: '0.0.0.0' }],
    ['MG_REDIS_ADDR', 'a:1', { redis: { url: 'redis://a:1' } }],
    ['MG_RATE_LIMIT_RPM', '1', { limiter: { rpm: 1 } }],
    ['MG_QUOTA_DEFAULT_TOKENS', '0', { quota: { default_tokens: 0 } }],
    ['MG_TIMEOUT', '10s', { timeout: 10_000 }],
    ['MG_MAX_BODY_SIZE', '1', { max_body_size: 1 }],
    ['MG_ADMIN_API_KEY', 'k', { admin: { api_key: 'k' } }],
    ['MG_ADAPTERS_VLLM_BASE_URL', 'http://a:1/v1', { backends: { vllm: { type: 'vllm', base_url: 'http://a:1' } } }],
    ['MG_LOG_LEVEL', 'debug', { debug: true }],
  ])('%s=%s', async (name, value, expected) => {
    expect((await tryConfig({ env: { [name]: value } })).config).toMatchObject(expected)
  })

  test('database.path is relative to the working directory', async () => {
    const { config, shown } = await tryConfig({ env: { MG_DATABASE_PATH: './d.db' } })
    expect(shown(config.database.path)).toBe('CWD/d.db')
  })

  const everywhere = {
    argv: { port: 1 },
    env: { GATEHOUSE_PORT: '2', PORT: '3', MG_SERVER_PORT: '4' },
    files: { '.env': 'GATEHOUSE_PORT=5\nPORT=6\nMG_SERVER_PORT=7', 'gatehouse.yaml': 'port: 8' },
  }
  const env = (...names: string[]) => Object.fromEntries(Object.entries(everywhere.env).filter(([name]) => names.includes(name)))
  const dotenv = (text: string) => ({ ...everywhere.files, '.env': text })
  test.each<[string, Machine]>([
    ['command line', everywhere],
    ['environment GATEHOUSE_PORT', { ...everywhere, argv: {} }],
    ['environment PORT', { ...everywhere, argv: {}, env: env('PORT', 'MG_SERVER_PORT') }],
    ['environment MG_SERVER_PORT', { ...everywhere, argv: {}, env: env('MG_SERVER_PORT') }],
    ['.env GATEHOUSE_PORT', { files: everywhere.files }],
    ['.env PORT', { files: dotenv('PORT=6\nMG_SERVER_PORT=7') }],
    ['.env MG_SERVER_PORT', { files: dotenv('MG_SERVER_PORT=7') }],
    ['CWD/gatehouse.yaml', { files: dotenv('') }],
  ])('who wins: %s', async (source, machine) => {
    const { sources, shown } = await tryConfig(machine)
    expect(shown(sources.get('port'))).toBe(source)
  })

  test('a wrong value names the variable', async () => {
    expect(await complaints({ env: { MG_ADAPTERS_VLLM_BASE_URL: 'nope', MG_SERVER_PORT: 'http' } })).toEqual([
      'environment MG_SERVER_PORT: server.port: must be a whole number from 1 to 65535, not "http"',
      expect.stringContaining('environment MG_ADAPTERS_VLLM_BASE_URL: adapters.vllm.base_url: must be an address'),
    ])
    expect(await complaints({ env: { MG_TIMEOUT: '5', MG_REDIS_ADDR: 'a b' } })).toEqual([
      'environment MG_REDIS_ADDR: redis.addr: must be HOST:PORT, for example localhost:6379',
      'environment MG_TIMEOUT: timeout: must be a duration such as 30s or 1m30s, longer than 0s and at most 30m, not "5"',
    ])
  })

  test('one that nobody knows only warns', async () => {
    expect((await tryConfig({ env: { MG_SERVER_PROT: '1', MG_EMPTY: '' } })).warnings).toEqual([
      'environment MG_SERVER_PROT: ignored, because gatehouse knows no such setting of ModelGate; did you mean MG_SERVER_PORT?',
    ])
  })
})
