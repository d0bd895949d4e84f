import { describe, expect, test } from 'bun:test'
import { tryConfig } from './config/try-config.ts'
import { createScreen, hideAll, looksSecret, maskUrl, secretsOf } from './secrets.ts'

describe('a name that looks secret', () => {
  test.each([
    'api_key',
    'API-KEY',
    'X-API-Key',
    'apiKey',
    'OPENAI_API_KEY',
    'token',
    'tokens',
    'access_token',
    'GITHUB_TOKEN',
    'default_token_secret',
    'password',
    'db-password',
    'client_secret',
    'Authorization',
    'Proxy-Authorization',
    'auth',
    'oauth',
    'credentials',
    'private_key',
    'Cookie',
    'max_tokens_secret',
    'new_token_key',
    'passphrase',
    'pass',
    'db_pass',
    'PGPASS',
    'dbPass',
    'pwd',
    'MYSQL_PWD',
    'key',
    'keys',
    'ssl_key',
    'signing-key',
    'licenseKey',
    'key2',
    'license',
    'dsn',
    'sentry_dsn',
    'pat',
    'githubPat',
    'jwt',
  ])('%s', name => {
    expect(looksSecret(name)).toBe(true)
  })
  test.each([
    'max_tokens',
    'default_tokens',
    'max_output_tokens',
    'max-completion-tokens',
    'maxTokens',
    'first_token',
    'tokens_per_minute',
    'token_limit',
    'tokenizer',
    'prompt_tokens',
    'author',
    'host',
    'key_file',
    'name',
    'keyboard',
    'max_tool_rounds',
    'cert_file',
    'ssl_key_file',
    'wake_word',
    'monkey',
    'keyword',
    'key_name',
    'sort_key',
    'primary-key',
    'publicKey',
    'passes',
    'bypass',
    'pass_through',
    'compat',
    'format',
    'pattern',
    'patch',
    'license_file',
  ])('%s does not', name => {
    expect(looksSecret(name)).toBe(false)
  })
  test('the value decides where it can', () => {
    expect(looksSecret('auth', 'auto')).toBe(false)
    expect(looksSecret('auth', 'user:pass')).toBe(true)
    expect(looksSecret('private', true)).toBe(false)
    expect(looksSecret('tokens', 500)).toBe(false)
    expect(looksSecret('password', 123456)).toBe(true)
    expect(looksSecret('keys', 500_000)).toBe(false)
    expect(looksSecret('pass', 2)).toBe(false)
    expect(looksSecret('pass', 123456)).toBe(true)
    expect(looksSecret('key', '/etc/ssl/my.key')).toBe(false)
    expect(looksSecret('key', 'my.pem')).toBe(false)
    expect(looksSecret('key', '/abcdEFGH1234/abcdEFGH1234567=')).toBe(true)
    expect(looksSecret('pwd', '/srv')).toBe(false)
    expect(looksSecret('pwd', 'hunter2')).toBe(true)
    expect(looksSecret('license', 'Apache-2.0')).toBe(false)
    expect(looksSecret('license', 'ABCDE-12345')).toBe(true)
  })
})

test.each([
  ['http://localhost:11434', 'http://localhost:11434'],
  ['http://user:pa@ss@host:1/v1', 'http://<redacted>@host:1/v1'],
  ['redis://:pa/ss@host:6379/0', 'redis://<redacted>@host:6379/0'],
  ['https://host/v1?key=abc#frag', 'https://host/v1?<redacted>'],
  ['https://host/@scope/x', 'https://host/@scope/x'],
  ['user:pass@host', '<redacted>@host'],
  ['http:/user:pass@host/x', '<redacted>@host/x'],
  ['https://host:8000/hooks/a1b2c3d4e5f6a7b8c9/v1', 'https://host:8000/hooks/<redacted>/v1'],
  ['http://node1a2b3c4d5e6f7a8b:8000/v1', 'http://node1a2b3c4d5e6f7a8b:8000/v1'],
  ['https://host/behind/a/proxy/v1', 'https://host/behind/a/proxy/v1'],
  ['nothing', 'nothing'],
])('maskUrl(%p) is %p', (url, masked) => {
  expect(maskUrl(url)).toBe(masked)
})

describe('the secrets of a config', () => {
  const secretsIn = async (yaml: object, env: Record<string, string> = {}) =>
    secretsOf((await tryConfig({ files: { 'gatehouse.yaml': JSON.stringify(yaml) }, env })).config)
  const remote = (entry: object) => ({ backends: { up: { type: 'openai-compatible', base_url: 'http://host', ...entry } } })

  test.each<[string, object, string[]]>([
    ['the key and the admin key', { api_key: 'house-key', admin: { api_key: 'admin-key' } }, ['house-key', 'admin-key']],
    ['the hash of the key', { api_key_sha256: '0123456789abcdef'.repeat(4) }, ['0123456789abcdef'.repeat(4)]],
    ['keys of backends', remote({ api_key: 'backend-key' }), ['backend-key']],
    ['headers of backends, and what follows the scheme', remote({ headers: { 'X-Gate': 'Token abcdef' } }), ['Token abcdef', 'abcdef']],
    ['what a Basic header says', remote({ headers: { authorization: `Basic ${btoa('user:hunter22')}` } }), ['user:hunter22', 'hunter22']],
    [
      'passwords in addresses, decoded and as a header would carry them',
      remote({ base_url: 'http://user:p%40ssword@host' }),
      ['p%40ssword', 'p@ssword', 'user:p@ssword', btoa('user:p@ssword')],
    ],
    ['a key in the place of the user', remote({ base_url: 'https://abcdefgh@host' }), ['abcdefgh']],
    ['a key in the path', remote({ base_url: 'https://host/hooks/a1b2c3d4e5f6a7b8c9/v1' }), ['a1b2c3d4e5f6a7b8c9']],
    ['the password of Redis', { redis: { url: 'redis://:redis-pass@host:6379' } }, ['redis-pass']],
    ['the token of the metrics', { metrics: { token: 'metrics-token' } }, ['metrics-token']],
    [
      'variables, arguments, headers and addresses of MCP servers',
      {
        mcp: {
          servers: [
            {
              name: 'one',
              command: 'npx',
              args: ['--api-key', 'argument-1', '--token=argument-2', 'postgres://me:argument-3@db/x', 'ghp0123456789abcdefghij'],
              env: { GITHUB_TOKEN: 'variable-1', ODD: 'Zm9v0123456789abcdef', PLAIN: 'hunter-22' },
            },
            { name: 'two', url: 'https://me:address-1@host/sse?key=address-2', headers: { 'X-Key': 'header-1' } },
          ],
        },
      },
      [
        'argument-1',
        'argument-2',
        'argument-3',
        'ghp0123456789abcdefghij',
        'variable-1',
        'Zm9v0123456789abcdef',
        'address-1',
        'address-2',
        'header-1',
      ],
    ],
    [
      'options of plugins, however deep',
      { pipeline: ['./mine.ts'], mine: { inner: [{ client_secret: 'option-1' }], tokens: ['option-2'], password: 123456 } },
      ['option-1', 'option-2', '123456'],
    ],
    ['options under plugins.configs', { plugins: { configs: { mine: { auth: { user: 'x', value: 'option-3' } } } } }, ['option-3']],
    [
      'what follows flags, of every program that is started',
      {
        mcp: {
          servers: [
            {
              name: 'a',
              command: 'c -H "X-Team: argument-1"',
              args: ['-k', 'argument-2', '--pass', '--ARGUMENT-3', '-pArgument-4', '--', 'PGPASS=argument-5'],
            },
          ],
        },
        models: [{ name: 'm', model_path: 'm.gguf', extra_args: ['--hf-pat', 'argument-6', 'ABCDEFGHIJKLMNOPQRSTUV'] }],
      },
      ['argument-1', 'argument-2', '--ARGUMENT-3', 'Argument-4', 'argument-5', 'argument-6', 'ABCDEFGHIJKLMNOPQRSTUV'],
    ],
    ['passwords with spaces', { redis: { url: 'redis://me:pass word@host' } }, ['pass%20word', 'pass word']],
    [
      'options with short names',
      { pipeline: ['./mine.ts'], mine: { pass: 'option-1', key: 'option-2', dsn: 'http://option-3@h' } },
      ['option-1', 'option-2', 'http://option-3@h'],
    ],
    ['the command of a model', { models: [{ name: 'm', command: 'serve --api-key command-1' }] }, ['command-1']],
  ])('%s', async (_, yaml, secrets) => {
    expect(await secretsIn(yaml)).toEqual(expect.arrayContaining(secrets))
  })

  test('come in each spelling, the longest first', async () => {
    const secrets = await secretsIn({ api_key: 'a key with "quotes"', admin: { api_key: 'a key with' } })
    expect(secrets).toEqual([
      'a%20key%20with%20%22quotes%22',
      'a key with \\"quotes\\"',
      'a key with "quotes"',
      'a%20key%20with',
      'a key with',
    ])
  })

  test('are nothing else: numbers of tokens, modes, plain headers, names, addresses', async () => {
    const plain = {
      auth: 'required',
      quota: { default_tokens: 1_000_000 },
      timeouts: { first_token: '5m' },
      cors_origins: ['https://chat.example.org'],
      data_dir: '/var/lib/gatehouse',
      mcp: {
        servers: [
          {
            name: 'files',
            command: 'npx',
            args: [
              '-y',
              '@scope/server-filesystem',
              '/srv/documents',
              '-u',
              'postgres',
              '-e',
              'NODE_ENV=production',
              '--key',
              '/etc/ssl/my.key',
            ],
            env: { NODE_ENV: 'production', HOME: '/srv', PORT: '8080800', LANG: 'en_US.UTF-8', SERVICE: 'http://localhost:8080' },
          },
        ],
      },
      models: [{ name: 'qwen2.5-coder-32b-instruct-2024-11-12', targets: [{ backend: 'up', set: { max_tokens: 4096 } }] }],
      ...remote({ headers: { accept: 'application/json', 'user-agent': 'gatehouse/1.0' } }),
    }
    expect(await secretsIn(plain)).toEqual([])
  })
})

describe('hiding', () => {
  test('a secret that was cut off at the end is hidden, too', () => {
    const hide = hideAll(['backend-key-0001'])
    expect(hide('You sent backend-key-0001, and backend-key-00')).toBe('You sent <redacted>, and <redacted>')
    expect(hide('backend-key-0001')).toBe('<redacted>')
    expect(hide('the back')).toBe('the back')
  })

  test('a line without secrets is the very line', () => {
    const line = '{"level":"info","message":"x"}\n'
    expect(createScreen(['secret-1']).clear(line)).toBe(line)
  })

  test('a text is told from one that holds a secret, the first time and later; a UUID may be one', () => {
    const { finds } = createScreen(['sk-house-0001', 'a1b2c3d4-0000'])
    const texts = ['/v1/models', 'x sk-house-0001', 'a1b2c3d4-0000-4000-8000-000000000000', 'ffffffff-0000-4000-8000-000000000000']
    for (let round = 0; round < 3; round++) expect(texts.map(finds)).toEqual([false, true, true, false])
    for (let i = 0; i < 3000; i++) expect(finds(`/${i}`)).toBe(false)
    expect(texts.map(finds)).toEqual([false, true, true, false])
  })

  test('encoded, once or more, by whoever does it', () => {
    const { finds, hide, clear } = createScreen(['SECRETkey0', 'pass wörd'])
    const texts = ['/x/SECRETkey%30', '/x/%53ECRETkey0', '/x/SECRETkey%2530', '/x/%ff/SECRETkey%30%zz%', '/x/pass%20w%c3%b6rd']
    for (const text of texts) {
      expect(finds(text)).toBe(true)
      expect(hide(text)).toContain('<redacted>')
      expect(hide(text)).not.toMatch(/key|pass/)
      expect(JSON.parse(clear(`${JSON.stringify({ path: text })}\n`)).path).toBe(hide(text))
    }
    for (const text of ['/x/hf.co%2Forg%2Fmodel', '/100%', '/%zz']) expect([finds(text), hide(text)]).toEqual([false, text])
  })

  test('keys that nobody knows, by the way they begin', () => {
    const { finds, hide, clear } = createScreen([])
    const keys = [
      'sk-fake0000000000000000',
      'sk-proj-FAKE_fakefakefake',
      'ghp_fakeFAKEfakeFAKE0000',
      'glpat-FAKEfakeFAKEfake0',
      'xoxb-0000-FAKEfakeFAKE',
      'hf_FAKEfakeFAKEfake00',
      'AKIAFAKEFAKEFAKEFAKE0',
      'eyJmYWtl.eyJmYWtl.ZmFrZQ00',
    ]
    for (const key of keys) {
      expect(finds(`/v1/${key}`)).toBe(true)
      expect(hide(`/v1/${key}/x`)).toBe('/v1/<redacted>/x')
      expect(hide(`/v1/${key.slice(0, -1)}%${key.charCodeAt(key.length - 1).toString(16)}`)).toBe('/v1/<redacted>')
      expect(JSON.parse(clear(`${JSON.stringify({ message: `line\n${key}` })}\n`)).message).toBe('line\n<redacted>')
    }
    for (const text of ['/v1/models', 'sk-short', 'hf.co/org/a-model-with-a-long-name', 'risk-assessment-model-large']) {
      expect(hide(text)).toBe(text)
    }
  })

  test('a text that was encoded a thousand times costs no more than one that was twice', () => {
    const text = `/%${'25'.repeat(100_000)}41`
    const before = performance.now()
    expect(createScreen(['SECRETkey0']).finds(text)).toBe(false)
    expect(performance.now() - before).toBeLessThan(1000)
  })

  test('in a line the names of its fields, its level and its numbers stay', () => {
    const { clear } = createScreen(['level', '1234567', 'warning'])
    expect(JSON.parse(clear('{"level":"warning","n":1234567,"message":"level 1234567","deep":{"warning":[1]}}\n'))).toEqual({
      level: 'warning',
      n: 1234567,
      message: '<redacted> <redacted>',
      deep: { '<redacted>': [1] },
    })
  })
})
