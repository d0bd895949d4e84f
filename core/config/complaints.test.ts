// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test
import { describe, expect, test } from 'bun:test'
import { complaints, tryConfig } from './try-config.ts'

const longerThan0 = 'a duration such as 30s or 1m30s, longer than 0s and at most'
const address = 'must be an address that starts with http:// or https:// and has no ? or #, for example http://localhost:11434'
const printable = 'must be text that may stand in a header: printable ASCII'
const pem = 'TLS needs a certificate and a key, as PEM files (TLS_CERT_FILE, TLS_KEY_FILE)'
const notSet = (name: string) => `which is not set; set it in the environment or in .env, or write $\${${name}} for the text itself`
const types = 'ollama, openai, vllm, llamacpp, openai-compatible, api3, echo'

describe('a wrong variable is named', () => {
  test.each<[string, string, string]>([
    ['PORT', 'abc', 'port: must be a whole number from 1 to 65535, not "abc"'],
    ['PORT', '0', 'port: must be a whole number from 1 to 65535, not "0"'],
    ['PORT', '70000', 'port: must be a whole number from 1 to 65535, not "70000"'],
    ['PORT', '0x10', 'port: must be a whole number from 1 to 65535, not "0x10"'],
    ['GATEHOUSE_PORT', '1.5', 'port: must be a whole number from 1 to 65535, not "1.5"'],
    ['RATE_LIMIT_RPS', '0', 'rate_limit_rps: must be a number greater than 0, not "0"'],
    ['RATE_LIMIT_RPS', 'x', 'rate_limit_rps: must be a number greater than 0, not "x"'],
    ['TIMEOUT', '5', `timeout: must be ${longerThan0} 30m, not "5"`],
    ['TIMEOUT', '31m', `timeout: must be ${longerThan0} 30m, not "31m"`],
    ['TIMEOUT', '0s', `timeout: must be ${longerThan0} 30m, not "0s"`],
    ['TIMEOUT', 'none', `timeout: must be ${longerThan0} 30m, not "none"`],
    ['OLLAMA_HOST', 'ftp://h', `ollama_host: ${address}, not "ftp://h"`],
    ['OLLAMA_HOST', 'localhost:1', `ollama_host: ${address}, not "localhost:1"; write http://localhost:1`],
    ['OLLAMA_HOST', '0.0.0.0', `ollama_host: ${address}, not "0.0.0.0"; that is Ollama's own bind address; write http://localhost:11434`],
    ['OLLAMA_HOST', ':8080', `ollama_host: ${address}, not ":8080"; that is Ollama's own bind address; write http://localhost:8080`],
    ['OLLAMA_HOST', '[::]:1', `ollama_host: ${address}, not "[::]:1"; that is Ollama's own bind address; write http://localhost:1`],
    ['OLLAMA_HOST', '127.0.0.1:11434', `ollama_host: ${address}, not "127.0.0.1:11434"; write http://127.0.0.1:11434`],
    ['API_KEY', 'schl\u00fcssel', `api_key: ${printable}`],
    ['ADMIN_API_KEY', 'a\tb', `admin.api_key: ${printable}`],
    ['METRICS_TOKEN', '\u4e16', `metrics.token: ${printable}`],
    ['GATEHOUSE_API_KEY_SHA256', '\u4e16', 'api_key_sha256: must be the SHA-256 of the key, as 64 lower-case hexadecimal digits'],
    ['GATEHOUSE_DEBUG', 'constructor', 'debug: must be true or false, not "constructor"'],
    ['OLLAMA_HOST', 'me:secret@h:1?key=secret', `ollama_host: ${address}, not "…@h:1?…"`],
    ['GATEHOUSE_DEBUG', 'app:*', 'debug: must be true or false, not "app:*"'],
    ['AUTH', 'on', 'auth: must be one of auto, required, off, not "on"'],
    ['MAX_BODY_SIZE', '32M', 'max_body_size: must be a number of bytes from 1, or a size such as 32MiB, not "32M"'],
    ['TRUSTED_PROXIES', '10.0.0.0/8,proxy', 'trusted_proxies[1]: must be an IP address or a range such as 10.0.0.0/8, not "proxy"'],
    ['ALLOWED_HOSTS', 'http://a', 'allowed_hosts[0]: must be a host name, without http:// and without a port, not "http://a"'],
    ['CORS_ORIGINS', 'a', 'cors_origins[0]: must be an origin such as https://chat.example.org, or * for every origin, not "a"'],
    ['DEFAULT_BACKEND', 'home', 'default_backend: names a backend that is not configured: "home"; there are no backends'],
    [
      'GATEHOUSE_TIMEOUTS_TOTAL',
      '5',
      'timeouts.total: must be a duration such as 30s or 1m30s, or none, longer than 0s and at most 576h, not "5"',
    ],
    ['TLS_ENABLED', 'true', `tls.cert_file: is missing, and so is tls.key_file; ${pem}`],
    ['CACHE_MODE', 'some', 'cache.mode: must be one of auto, all, not "some"'],
    ['MCP_MAX_TOOL_ROUNDS', '0', 'mcp.max_tool_rounds: must be a whole number from 1, not "0"'],
    ['MCP_CACHE_TTL', '5', `mcp.cache_ttl: must be ${longerThan0} 576h, not "5"`],
    ['MEMORY_PINNED_MAX', 'x', 'memory.pinned_max: must be a whole number, not "x"'],
    ['INTROSPECTION_ENABLED', 'maybe', 'introspection.enabled: must be true or false, not "maybe"'],
    ['GATEHOUSE_REDIS_URL', 'http://s3cret', 'redis.url: must be an address that starts with redis:// or rediss://'],
    ['GATEHOUSE_BACKENDS', '{"x": 1}', 'backends.x: must be a mapping such as { key: value }, not a number'],
    ['GATEHOUSE_MODELS', '[{bad', 'models: is not valid JSON or YAML'],
    ['GATEHOUSE_BACKENDS', '{"x": {', 'backends: is not valid JSON or YAML'],
    ['GATEHOUSE_MCP_SERVERS', '[{"name": "a"', 'mcp.servers: is not valid JSON or YAML'],
    ['MCP_ALLOW_TOOLS', '[a, b', 'mcp.allow_tools: is not valid JSON or YAML'],
    ['GATEHOUSE_MODELS', 'x', 'models[0]: must be a mapping such as { key: value }, not a string'],
    ['GATEHOUSE_BACKENDS_HOME_BASE_URL', 'http://h', `backends.home.type: is missing; write one of ${types}`],
  ])('%s=%s', async (name, value, problem) => {
    expect(await complaints({ env: { [name]: value } })).toEqual([`environment ${name}: ${problem}`])
    const inDotenv = await complaints({ files: { '.env': `${name}='${value}'` } })
    expect(inDotenv).toEqual([`.env ${name}: ${problem}`])
  })
})

describe('a wrong file is named', () => {
  const file = async (text: string, env = {}) =>
    (await complaints({ files: { 'gatehouse.yaml': text }, env })).map(line => line.replace(/^CWD\/gatehouse\.yaml: /, ''))
  const backends = 'backends: { home: { type: ollama, base_url: "http://h" } }\n'

  test.each<[string, string[]]>([
    ['prot: 1', ['prot: is not a setting; did you mean port?']],
    ['zebra: 1', ['zebra: is not a setting']],
    ['options: {}', ['options: is not a setting']],
    [
      'timeouts: { totl: 1m, loda: 1m }',
      ['timeouts.totl: is not a setting; did you mean total?', 'timeouts.loda: is not a setting; did you mean load?'],
    ],
    ['admin: { password: x }', ['admin.password: is not a setting; known here: api_key']],
    ['port: 0', ['port: must be a whole number from 1 to 65535, not 0']],
    ['port: [1]', ['port: must be a whole number from 1 to 65535, not a list']],
    ['api_key: 12345', ['api_key: must be text in quotes']],
    ['api_key: "a\\nb"', [`api_key: ${printable}`]],
    ['backends: { x: { type: openai, api_key: "a\\rb" } }', [`backends.x.api_key: ${printable}`]],
    ['rate_limit_rps: .inf', ['rate_limit_rps: must be a number greater than 0, not .inf']],
    ['rate_limit_rps: -.inf', ['rate_limit_rps: must be a number greater than 0, not -.inf']],
    ['port: .nan', ['port: must be a whole number from 1 to 65535, not .nan']],
    ['debug: [true]', ['debug: must be true or false, not a list']],
    ['timeout: 300', [`timeout: must be ${longerThan0} 30m, not 300`]],
    ['heartbeat: none', [`heartbeat: must be ${longerThan0} 576h, not "none"`]],
    ['heartbeat: 1000h', [`heartbeat: must be ${longerThan0} 576h, not "1000h"`]],
    ['timeouts: 5m', ['timeouts: must be a mapping such as { key: value }, not a string']],
    ['backends: [{ type: ollama }]', ['backends: must be a mapping such as { key: value }, not a list']],
    ['cache: true', ['cache: must be a mapping such as { key: value }, not a boolean']],
    ['pipeline: []', ['pipeline: must name at least one plugin; left out, it is [auth, limiter, cache, quota, mcp-tools, router]']],
    ['pipeline: [auth, auth]', ['pipeline: must not name a plugin twice']],
    ['pipeline: [My Plugin]', ['pipeline[0]: must be the name of a plugin in kebab-case, or a path such as ./plugins/mine.ts']],
    ['allowed_hosts: 5', ['allowed_hosts: must be a list such as [a, b], not 5']],
    ['backends: { "a b": { type: echo } }', ['backends."a b": is not a name for a backend; use letters, digits, "_", "." and "-"']],
    [
      'backends: { x: { type: olama, base_url: "http://h" } }',
      [`backends.x.type: must be one of ${types}, not "olama"; did you mean ollama?`],
    ],
    ['backends: { x: { base_url: "http://h" } }', [`backends.x.type: is missing; write one of ${types}`]],
    [
      'backends: { x: { type: vllm } }',
      ['backends.x.base_url: is missing; write the address of the server, for example http://localhost:8000'],
    ],
    [
      'backends: { x: { type: vllm, base_url: "http://h", delay: 1s } }',
      ['backends.x.delay: is not a setting; known here: type, base_url, api_key, headers, timeouts, slots, models'],
    ],
    [
      'backends: { x: { type: echo, base_url: "http://h" } }',
      ['backends.x.base_url: is not a setting; known here: type, delay, slots, models'],
    ],
    ['backends: { x: }', ['backends.x: must be a mapping such as { key: value }, not empty']],
    ['backends: { x: { type: openai, headers: { "a b": c } } }', ['backends.x.headers."a b": is not a header name']],
    ['backends: { x: { type: openai, headers: { a: "s3cret\\n" } } }', []],
    [
      'backends: { x: { type: openai, headers: { a: "s3cr\\net" } } }',
      ['backends.x.headers.a: must be text in quotes that may stand in a header'],
    ],
    ['default_backend: x', ['default_backend: names a backend that is not configured: "x"; there are no backends']],
    [`${backends}default_backend: hom`, ['default_backend: names a backend that is not configured: "hom"; did you mean home?']],
    [
      `${backends}models: [{ name: a, targets: [{ backend: hme }] }]`,
      ['models[0].targets[0].backend: names a backend that is not configured: "hme"; did you mean home?'],
    ],
    [`${backends}models: [{ targets: [{ backend: home }] }]`, ['models[0].name: is missing; write the name clients use']],
    [
      `${backends}models: [{ name: a }]`,
      ['models[0].targets: is missing; write where the model is served, for example [{ backend: home }], or the model_path of a GGUF file'],
    ],
    [`${backends}models: [{ name: a, targets: [] }]`, ['models[0].targets: must have at least one target, for example { backend: home }']],
    [
      `${backends}models: [{ name: a, targets: [{}] }]`,
      ['models[0].targets[0].backend: is missing; write the name of one of the backends'],
    ],
    [
      `${backends}models: [{ name: a, strategy: round-robin, targets: [{ backend: home }] }]`,
      ['models[0].strategy: must be one of failover, weighted, least-busy, fastest, warm, sticky, not "round-robin"'],
    ],
    [
      `${backends}models: [{ name: a, targets: [{ backend: home }] }, { name: b, aliases: [c, a], targets: [{ backend: home }] }]`,
      ['models[1].aliases[1]: must be a name of its own, but "a" is taken by models[0]'],
    ],
    [
      `${backends}models: [{ name: a, targets: [{ backend: home }] }, { name: a, targets: [{ backend: home }] }]`,
      ['models[1].name: must be a name of its own, but "a" is taken by models[0]'],
    ],
    [
      `${backends}models: [{ name: q, model_path: /m.gguf, targets: [{ backend: home }] }]`,
      ['models[0].model_path: must not stand beside targets; a model has one of targets, model_path, command'],
    ],
    ['models: [{ name: w, command: serve, threads: 4 }]', ['models[0].threads: is for models with a model_path']],
    ['models: [{ name: q, model_path: /m.gguf, gpu_layers: -2 }]', ['models[0].gpu_layers: must be a whole number from -1, not -2']],
    ['models: [{ name: w, command: x, slots: 0 }]', ['models[0].slots: must be a whole number from 1, not 0']],
    [
      'models: [{ name: w, command: x, health: health }]',
      ['models[0].health: must be a path that starts with /, for example /health, not "health"'],
    ],
    [
      'models: [{ name: w, command: x, ttl: 10 }]',
      ['models[0].ttl: must be a duration such as 30s or 1m30s, or none, longer than 0s and at most 576h, not 10'],
    ],
    ['models: [{ name: w, command: x, pin: maybe }]', ['models[0].pin: must be true or false, not "maybe"']],
    ['models: [{ name: w, command: x, env: [A=b] }]', ['models[0].env: must be a mapping such as { key: value }, not a list']],
    [
      'models: [{ name: w, command: x, env: { "a b": c } }]',
      ['models[0].env."a b": is not a name for a variable; use letters, digits and "_"'],
    ],
    ['models: [{ name: w, command: x, env: { A: [s3cret] } }]', ['models[0].env.A: must be text in quotes']],
    ['models: [{ name: w, command: "serve \'s3cret" }]', ['models[0].command: has a quote that is never closed']],
    ['models: [{ name: w, command: "\'\' x" }]', ['models[0].command: must begin with the name of a program']],
    ["models: [{ name: w, command: x, stop: 'end \\' }]", []],
    ["models: [{ name: w, command: x, stop: 'end \"' }]", ['models[0].stop: has a quote that is never closed']],
    [
      'models: [{ name: q, model_path: /m.gguf, extra_args: [--host, 0.0.0.0] }]',
      ['models[0].extra_args: must not have --host, which gatehouse sets itself'],
    ],
    [
      `${backends}models: [{ name: a, slots: 4, pin: no, targets: [{ backend: home }] }]`,
      ['slots', 'pin'].map(name => `models[0].${name}: is for models that gatehouse runs, with a model_path or a command`),
    ],
    [
      'models: [{ name: w, command: x, group: big }]',
      ['models[0].group: names a group that is not configured: "big"; there are no groups'],
    ],
    [
      'groups: { large: {}, small: {} }\nmodels: [{ name: w, command: x, group: larg }]',
      ['models[0].group: names a group that is not configured: "larg"; did you mean large?'],
    ],
    [
      'groups: { large: {}, small: {} }\nmodels: [{ name: w, command: x, group: zebra }]',
      ['models[0].group: names a group that is not configured: "zebra"; groups has large, small'],
    ],
    ['groups: { "a b": {} }', ['groups."a b": is not a name for a group; use letters, digits, "_", "." and "-"']],
    ['groups: { a: { swap: true } }', ['groups.a.swap: is not a setting; known here: exclusive, persistent']],
    ['groups: [a]', ['groups: must be a mapping such as { key: value }, not a list']],
    ['memory_limit: 24G', ['memory_limit: must be a number of bytes from 1, or a size such as 32MiB, not "24G"']],
    ['models_dir: 5', ['models_dir: must be text (a number or a date in quotes), not 5']],
    ['queue: { max_length: -1 }', ['queue.max_length: must be a whole number from 0, not -1']],
    ['queue: { length: 1 }', ['queue.length: is not a setting; known here: max_length, max_per_key, weights']],
    ['breaker: { failure_rate: 50 }', ['breaker.failure_rate: must be a number greater than 0 and at most 1, not 50']],
    ['breaker: { failure_rate: 0 }', ['breaker.failure_rate: must be a number greater than 0 and at most 1, not 0']],
    ['breaker: { cooldown: 10 }', [`breaker.cooldown: must be ${longerThan0} 576h, not 10`]],
    ['models: [{ name: w, command: "serve ${NO}" }]', [`models[0].command: needs the variable NO, ${notSet('NO')}`]],
    ['tls: { enabled: true, cert_file: c.pem }', [`tls.key_file: is missing; ${pem}`]],
    ['tls: { enabled: true }', [`tls.cert_file: is missing, and so is tls.key_file; ${pem}`]],
    ['redis: { url: "http://x" }', ['redis.url: must be an address that starts with redis:// or rediss://']],
    ['cache: { ttl: 5 }', [`cache.ttl: must be ${longerThan0} 576h, not 5`]],
    ['quota: { default_tokens: -1 }', ['quota.default_tokens: must be a whole number from 0, or none for no limit, not -1']],
    [
      'mcp: { servers: [{ name: a.b, command: x }] }',
      ['mcp.servers[0].name: is not a name for an MCP server; use letters, digits, "_" and "-"'],
    ],
    ['mcp: { servers: [{ name: health, command: x }] }', ['mcp.servers[0].name: must not be "health", which is a path of its own']],
    ['mcp: { servers: [{ name: a }] }', ['mcp.servers[0].transport: is missing; write stdio with a command, or http or sse with a url']],
    [
      'mcp: { servers: [{ name: a, transport: stdio }] }',
      ['mcp.servers[0].command: is missing; with transport stdio it names the program to start'],
    ],
    [
      'mcp: { servers: [{ name: a, transport: http }] }',
      ['mcp.servers[0].url: is missing; with transport http it is the address of the server'],
    ],
    [
      'mcp: { servers: [{ name: a, url: "file:///s3cret" }] }',
      ['mcp.servers[0].url: must be an address that starts with http:// or https://'],
    ],
    [
      'mcp: { servers: [{ name: a, command: x }, { name: b, command: x }, { name: a, command: x }] }',
      ['mcp.servers[2].name: must be a name of its own, but "a" is taken by mcp.servers[0]'],
    ],
    [
      'backends: { me: { type: vllm, base_url: "http://localhost:11435/v1" } }',
      ['backends.me.base_url: is the address gatehouse itself listens on; change it, or the port'],
    ],
  ])('%s', async (text, problems) => {
    expect(await file(text)).toEqual(problems)
  })

  test('an empty port on the command line is not port 0', async () => {
    expect(await complaints({ argv: { port: '' } })).toEqual(['command line: port: must be a whole number from 1 to 65535, not ""'])
  })

  test('all problems are told, each with its own source', async () => {
    const lines = await complaints({
      files: { 'gatehouse.yaml': 'prot: 1\ndefault_backend: x\nheartbeat: 5' },
      env: { PORT: 'abc' },
      argv: { host: 'x' },
    })
    expect(lines.map(line => line.split(': ').slice(0, 2).join(': '))).toEqual([
      'CWD/gatehouse.yaml: prot',
      'command line: host',
      'environment PORT: port',
      'CWD/gatehouse.yaml: heartbeat',
      'CWD/gatehouse.yaml: default_backend',
    ])
  })

  test('many thousands of mistakes are told soon, the first ones with a suggestion', async () => {
    const count = 100_000
    const began = performance.now()
    const lines = await file(Array.from({ length: count }, (_, index) => `timeout${index}: 1`).join('\n'))
    expect(performance.now() - began).toBeLessThan(5000)
    expect(lines).toHaveLength(count)
    expect(lines.filter(line => line.includes('did you mean'))).toHaveLength(50)
  })

  test('no secret is ever repeated', async () => {
    const text =
      'api_key: [s3cret]\nollama_host: "ftp://me:s3cret@h?key=s3cret"\nbackends: { x: { type: openai, api_key: { a: s3cret }, headers: { a: [s3cret] }, base_url: "//me:s3c/ret@h" } }'
    const lines = await file(text)
    expect(lines.length).toBe(4)
    expect(lines.join('\n')).not.toMatch(/s3c/)
  })
})

describe('${NAME} in the file', () => {
  const models = (text: string) => `backends: { x: { type: openai, api_key: "${text}" } }`
  const key = async (text: string, env: Record<string, string> = {}, dotenv = '') => {
    const { config } = await tryConfig({ files: { 'gatehouse.yaml': models(text), '.env': dotenv }, env })
    return config.backends.x?.type === 'openai' ? config.backends.x.api_key : undefined
  }
  test('comes from the environment, else from .env', async () => {
    expect(await key('${K}', { K: 'env' }, 'K=file')).toBe('env')
    expect(await key('${K}', {}, 'K=file')).toBe('file')
    expect(await key('a-${K}-${K}', { K: '$&${K}' })).toBe('a-$&${K}-$&${K}')
  })
  test('needs no quotes, inside braces neither', async () => {
    const text = 'backends: { x: { type: openai, api_key: ${K}, base_url: https://${H}/v1 } } # ${NOT_SET}'
    const { config } = await tryConfig({ files: { 'gatehouse.yaml': text }, env: { K: 'a: } b', H: 'h' } })
    expect(config.backends.x).toMatchObject({ api_key: 'a: } b', base_url: 'https://h' })
  })
  test('can be escaped', async () => {
    expect(await key('$${K}')).toBe('${K}')
    const { config } = await tryConfig({ files: { 'gatehouse.yaml': 'router: { a: $${K} }' } })
    expect(config.router).toEqual({ a: '${K}' })
    expect(await key('$K $ {K}')).toBe('$K $ {K}')
  })
  test('serves numbers and lists too', async () => {
    const files = { 'gatehouse.yaml': 'port: ${P}\nallowed_hosts: ${H}\nrouter: { list: ["${P}"] }' }
    const { config } = await tryConfig({ files, env: { P: '123', H: 'a,b' } })
    expect(config).toMatchObject({ port: 123, allowed_hosts: ['a', 'b'], router: { list: ['123'] } })
  })
  test.each<[string, Record<string, string>, string]>([
    ['${K}', {}, 'needs the variable K, which is not set; set it in the environment or in .env, or write $${K} for the text itself'],
    ['${K}', { K: '' }, 'needs the variable K, which is not set; set it in the environment or in .env, or write $${K} for the text itself'],
    ['${K:-x}', {}, 'has a ${ that is no variable; write ${NAME}, or $${ for the two characters themselves'],
    ['${K', { K: '1' }, 'has a ${ that is no variable; write ${NAME}, or $${ for the two characters themselves'],
  ])('%p with %p is an error', async (text, env, message) => {
    expect(await complaints({ files: { 'gatehouse.yaml': models(text) }, env })).toEqual([
      `CWD/gatehouse.yaml: backends.x.api_key: ${message}`,
    ])
  })
  test('an alias that contains itself is an error', async () => {
    expect(await complaints({ files: { 'gatehouse.yaml': 'router: &a { x: [*a] }' } })).toEqual([
      'CWD/gatehouse.yaml: router.x[0]: must not contain itself; remove the YAML alias',
    ])
  })
  test('two places that share an anchor can be set apart', async () => {
    const text = 'backends: { a: &a { type: vllm, base_url: "http://a" }, b: *a }'
    const { config } = await tryConfig({ files: { 'gatehouse.yaml': text }, env: { GATEHOUSE_BACKENDS_B_BASE_URL: 'http://b' } })
    expect(config.backends).toMatchObject({ a: { base_url: 'http://a' }, b: { base_url: 'http://b' } })
  })
})
