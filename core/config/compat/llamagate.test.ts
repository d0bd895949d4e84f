// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test
import { describe, expect, test } from 'bun:test'
import { plainNames } from '../plain-names.ts'
import { complaints, type Machine, tryConfig } from '../try-config.ts'
import { quoteAt } from './quote-at.ts'
import { example } from './testing.ts'

const open = 'CWD/llamagate.yaml: LlamaGate could be reached from other machines; gatehouse only from this one, unless you set HOST=0.0.0.0'
const load = (text: string, more: Partial<Machine> = {}) =>
  tryConfig({ ...more, files: { ...more.files, 'llamagate.yaml': text }, env: { HOST: '127.0.0.1', ...more.env } })

describe('names of variables in lower case', () => {
  test('are the settings', async () => {
    const { config, sources, shown } = await load(example('llamagate/names.yaml'))
    expect(config).toMatchObject({
      port: 3333,
      api_key: 'sk-llamagate',
      rate_limit_rps: 50,
      timeout: 300_000,
      introspection: { hardware_detail_level: 'standard' },
      memory: { pinned_max: 50, recent_max: 100 },
      mcp: { enabled: false, allow_tools: ['mcp.filesystem.*', 'mcp.fetch.*'], deny_tools: ['mcp.dangerous.*', '*.drop_*'] },
      backends: { ollama: { type: 'ollama', base_url: 'http://127.0.0.1:11434' } },
    })
    expect(shown(sources.get('port'))).toBe('CWD/llamagate.yaml')
    expect(shown(sources.get('mcp.allow_tools'))).toBe('CWD/llamagate.yaml')
  })
  test('every variable LlamaGate had is one of them', () => {
    const names = Object.keys(Bun.YAML.parse(example('llamagate/names.yaml')) as object).map(name => name.toUpperCase())
    const missing = names.filter(name => !(name in plainNames))
    expect(missing).toEqual([])
    expect(names.length).toBeGreaterThan(30)
  })
  test('count in any case, as numbers and as text, and with nothing behind them not at all', async () => {
    const { config } = await load('PORT: 4000\nApi_Key: 12345\ntimeout: ""\nlog_file: ""\ntls_cert_file:\ndebug: T\n')
    expect(config).toMatchObject({ port: 4000, api_key: '12345', timeout: 300_000, log: { format: 'auto' }, debug: true })
  })
  test('give way to variables, .env and the command line', async () => {
    const { config } = await load('port: 1\ntimeout: 1m\nrate_limit_rps: 1\napi_key: a', {
      argv: { port: 2 },
      env: { TIMEOUT: '2m' },
      files: { '.env': 'RATE_LIMIT_RPS=2' },
    })
    expect(config).toMatchObject({ port: 2, timeout: 120_000, rate_limit_rps: 2, api_key: 'a' })
  })
  test('relative paths are relative to the working directory, wherever the file lies', async () => {
    const files = { '~/.llamagate/llamagate.yaml': 'log_file: a.log\nmemory_dir: ~/m\ntls_cert_file: c.pem' }
    const { config, shown } = await tryConfig({ files })
    expect([config.log.file, config.memory.dir, config.tls.cert_file].map(shown)).toEqual(['CWD/a.log', 'HOME/m', 'CWD/c.pem'])
  })
})

describe('defaults of LlamaGate', () => {
  test('the folder of its memory', async () => {
    const { config, sources, shown } = await load('')
    expect(shown(config.memory.dir)).toBe('HOME/.llamagate/data/memory')
    expect(sources.get('memory.dir')).toBe('default of LlamaGate')
    expect(config.port).toBe(11_435)
  })
  test('give way to a variable', async () => {
    const { config, sources, shown } = await load('', { env: { MEMORY_DIR: 'm' } })
    expect(shown(config.memory.dir)).toBe('CWD/m')
    expect(sources.get('memory.dir')).toBe('environment MEMORY_DIR')
  })
})

describe('the section mcp', () => {
  test('is honoured: limits, lists and servers (W3)', async () => {
    const { config } = await load(example('llamagate/demo.yaml'))
    expect(config.mcp).toMatchObject({ enabled: true, max_tool_rounds: 15, default_tool_timeout: 60_000, max_tool_result_size: 5_242_880 })
    expect(config.mcp.deny_tools).toEqual(['*.delete_*', '*.remove_*', '*.drop_*', '*.destroy_*'])
    expect(config.mcp.servers.map(({ name, enabled }) => [name, enabled])).toEqual([
      ['filesystem', true],
      ['puppeteer', false],
      ['postgres', false],
      ['sqlite', false],
      ['github', false],
    ])
  })
  test('enabled: false is off, whatever servers there are (A8)', async () => {
    const { config } = await tryConfig({ files: { 'llamagate.json': example('llamagate/off.json') } })
    expect(config.mcp).toMatchObject({ enabled: false, servers: [{ name: 'web', enabled: true }] })
    expect(config.plugins.configs).toEqual({ alexa_skill: { wake_word: 'Smart Voice' } })
  })
  test('MCP_ENABLED wins over it', async () => {
    expect((await load('mcp: { enabled: true }', { env: { MCP_ENABLED: 'false' } })).config.mcp.enabled).toBe(false)
  })
  test('the case of variables for a server is kept (W30), ${HOME} is filled in', async () => {
    const { config, shown } = await load(example('llamagate/two-servers.yaml').replace('- /tmp ', '- ${HOME}/x '))
    expect(config.mcp.servers[0]?.env).toEqual({ NODE_ENV: 'production' })
    expect(config.mcp.servers[0]?.args.map(shown)).toEqual(['-y', '@modelcontextprotocol/server-filesystem', 'HOME/x'])
  })
  test('a server that does not say enabled: true is off, and a line says so', async () => {
    const { config, warnings, shown } = await load('mcp: { servers: [{ name: a, command: x, transport: stdio }] }')
    expect(config.mcp.servers[0]?.enabled).toBe(false)
    expect(warnings.map(shown)).toContain(
      'CWD/llamagate.yaml: mcp.servers[0]: is off, because LlamaGate used a server only with enabled: true',
    )
  })
})

describe('what it does not know', () => {
  test('only warns', async () => {
    const { warnings, shown } = await load(
      'prt: 1\nextensions_upsert_enabled: true\nbackends: {}\nmcp: { max_rounds: 1, servers: [{ name: a, enabled: true, command: x, cmd: y }] }\nlog_file: a${NOT_SET}',
    )
    const ignored = 'is ignored, because gatehouse knows no such setting of LlamaGate'
    expect(warnings.slice(0, -1).map(shown)).toEqual([
      `CWD/llamagate.yaml: prt: ${ignored}; did you mean port?`,
      `CWD/llamagate.yaml: extensions_upsert_enabled: ${ignored}`,
      'CWD/llamagate.yaml: backends: is ignored, because this is a config of LlamaGate; in gatehouse.yaml it would count',
      `CWD/llamagate.yaml: mcp.max_rounds: ${ignored}`,
      `CWD/llamagate.yaml: mcp.servers[0].cmd: ${ignored}`,
      'CWD/llamagate.yaml: log_file: needs the variable NOT_SET, which is not set; set it in the environment or in .env, or write $${NOT_SET} for the text itself; it is kept as it is',
    ])
  })
  test('but a section must be one', async () => {
    expect(await complaints({ files: { 'llamagate.yaml': 'mcp: true' } })).toEqual([
      'CWD/llamagate.yaml: mcp: must be a mapping such as { enabled: … }',
    ])
  })
})

describe('a secret that is a variable nobody set', () => {
  const notSet = (name: string) =>
    `needs the variable ${name}, which is not set; set it in the environment or in .env, or write $\${${name}} for the text itself`
  test.each<[string, string, string]>([
    ['llamagate.yaml', 'api_key: "${NOPE}"', `api_key: ${notSet('NOPE')}`],
    ['llamagate.yaml', 'Api_Key: sk-${NOPE}', `Api_Key: ${notSet('NOPE')}`],
    ['llamagate.yaml', 'admin_api_key: ${NOPE}', `admin_api_key: ${notSet('NOPE')}`],
    [
      'llamagate.yaml',
      'mcp: { servers: [{ name: a, enabled: true, command: x, env: { A: "${NOPE}" } }] }',
      `mcp.servers[0].env.A: ${notSet('NOPE')}`,
    ],
    ['llamagate.yaml', 'plugins: { configs: { a: { token: ${NOPE} } } }', `plugins.configs.a.token: ${notSet('NOPE')}`],
    ['llamagate.yaml', 'plugins: { configs: { a: { tokens: ["${NOPE}"] } } }', `plugins.configs.a.tokens[0]: ${notSet('NOPE')}`],
    ['configs/config.yaml', 'rate_limit: { rpm: 1 }\nadmin: { api_key: "${NOPE}" }', `admin.api_key: ${notSet('NOPE')}`],
    ['configs/config.yaml', 'rate_limit: { rpm: 1 }\nredis: { password: "${NOPE}", db: 1 }', `redis.password: ${notSet('NOPE')}`],
    ['config.yaml', 'llama_server_path: x\nauth: { enabled: true, keys: ["", "${NOPE}"] }', `auth.keys[1]: ${notSet('NOPE')}`],
  ])('%s: %p stops the start', async (name, text, line) => {
    expect(await complaints({ files: { [name]: text } })).toEqual([`CWD/${name}: ${line}`])
  })
  test('is taken when it is set, and not missed where nobody is sent it', async () => {
    expect((await load('api_key: ${NOPE}', { env: { NOPE: 'sk-fake' } })).config.api_key).toBe('sk-fake')
    const off = await load('mcp: { servers: [{ name: a, enabled: false, command: x, env: { A: "${NOPE}" } }] }')
    expect(off.warnings.filter(line => line.includes('NOPE'))).toHaveLength(1)
  })
})

describe('who may reach it', () => {
  test('is said when nobody sets the host', async () => {
    const { warnings, shown } = await tryConfig({ files: { 'llamagate.yaml': 'port: 1' } })
    expect(warnings.map(shown)).toEqual([open])
  })
  test('is not said when somebody does', async () => {
    expect((await load('port: 1')).warnings).toEqual([])
  })
})

describe('values that begin with @', () => {
  test.each<[string, string]>([
    ['  - @scope/name', '  - "@scope/name"'],
    ['  - @scope/name # why', '  - "@scope/name" # why'],
    ['- - @scope/name', '- - "@scope/name"'],
    ['key: @name', 'key: "@name"'],
    ['- key: @name', '- key: "@name"'],
    ['- "@scope/name"', '- "@scope/name"'],
    ['- a@b', '- a@b'],
    ['key: me@example.org', 'key: me@example.org'],
  ])('%p becomes %p', (from, quoted) => {
    expect(quoteAt(`a:\n${from}\nb: 1`)).toBe(`a:\n${quoted}\nb: 1`)
  })
  test('are read, and a line says so', async () => {
    const { warnings, shown } = await load(example('llamagate/quickstart.yaml'))
    expect(warnings.map(shown)[0]).toBe('CWD/llamagate.yaml: read as if every value that begins with @ were in quotes, which YAML asks for')
  })
  test('are a mistake in a file of ours', async () => {
    expect(await complaints({ files: { 'gatehouse.yaml': example('llamagate/quickstart.yaml') } })).toEqual([
      'CWD/gatehouse.yaml: is not valid YAML near line 14: Unexpected token; a value that begins with @ must be in quotes',
    ])
  })
})
