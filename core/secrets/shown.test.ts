import { expect, test } from 'bun:test'
import { showConfig } from '../config/show.ts'
import { tryConfig } from '../config/try-config.ts'
import { maskSettings, secretsOf } from '../secrets.ts'

/** What `gatehouse config check` and `/v1/system/config` show of a config. */
async function shown(yaml: object): Promise<readonly string[]> {
  const files = { 'gatehouse.yaml': JSON.stringify({ pipeline: ['./mine.ts'], ...yaml }) }
  const { config } = await tryConfig({ files })
  return [showConfig(config), maskSettings(config, secretsOf(config))].map(settings => JSON.stringify(settings))
}

const backend = (base_url: string) => ({ backends: { up: { type: 'vllm', base_url } } })
const server = (entry: object) => ({ mcp: { servers: [{ name: 'one', ...entry }] } })
const args = (...words: string[]) => server({ command: 'serve', args: words })

test.each<[string, object]>([
  ['a quote in a password', backend("http://u:SECRET'x@h")],
  ['a space in a password', backend('http://u:SECRET x@h')],
  ['a quote in the address of an MCP server', server({ url: "http://u:SECRET'x@h/" })],
  ['a space in the address of an MCP server', server({ url: 'http://u:SECRET x@h/' })],
  ['a key in the path of an address', server({ url: 'http://h/services/T0/SECRETSECRETSECRETSECRET' })],
  ['an @ in a password', { redis: { url: 'redis://u:x@SECRET@h' } }],
  ['-k', args('-k', 'SECRET')],
  ['--key', args('--key', 'SECRET')],
  ['--pass', args('--pass', 'SECRET')],
  ['--pwd', args('--pwd', 'SECRET')],
  ['-p and the password in one', args('-pSECRET1')],
  ['a variable', args('PGPASS=SECRET')],
  ['a value with dashes', args('--token', '--SECRET')],
  ['a short bearer', args('Bearer SECRET')],
  ['a word that may be a key', args('SECRETSECRETSECRETSECRET')],
  ['a command', server({ command: 'serve --pass "my SECRET" -k SECRET' })],
  ['the command of a model', { models: [{ name: 'm', command: 'serve --pass SECRET' }] }],
  ['more arguments of a model', { models: [{ name: 'm', model_path: 'm.gguf', extra_args: ['--key', 'SECRET'] }] }],
  ['options of a plugin', { mine: { pass: 'SECRET', pwd: 'SECRET', key: 'SECRET', license: 'SECRET', dsn: 'SECRET', pat: 'SECRET' } }],
  ['options, deeper', { plugins: { configs: { mine: { list: [{ key: ['SECRET'] }], keys: { bob: 'SECRET' } } } } }],
  ['arguments among options', { mine: { run: ['serve', '--key', 'SECRET'], line: 'serve --key SECRET', args: ['PGPASS=SECRET'] } }],
  ['a bearer among options', { mine: { header: 'Bearer SECRET' } }],
  ['keys as names', { mine: { owners: { SECRETSECRETSECRETSECRET: 'bob' } } }],
  ['what a request is given', { ...backend('http://h'), models: [{ name: 'm', targets: [{ backend: 'up', set: { pass: 'SECRET' } }] }] }],
  ['a key that stands a second time', { api_key: 'SECRET', ...args('say', 'SECRET'), mine: { greeting: 'hello SECRET' } }],
])('%s is masked', async (_, yaml) => {
  for (const text of await shown(yaml)) {
    expect(text).toContain('<redacted>')
    expect(text).not.toContain('SECRET')
  }
})

test('what is no secret is shown', async () => {
  const words = [
    '-y',
    '@modelcontextprotocol/server-filesystem',
    '--ssl-key-file',
    '/etc/ssl/my.key',
    '-p',
    '8080:80',
    '--sort-key',
    'name',
  ]
  const options = {
    wake_word: 'hey house',
    keyboard: 'us',
    key_file: 'my.pem',
    max_tokens: 500,
    keys: 5,
    cert_file: '/etc/my.pem',
    license: 'MIT',
  }
  for (const text of await shown({
    ...backend('http://gpu-box.internal.example.org:8000'),
    models: [{ name: 'qwen2.5-coder-32b-instruct-q4_k_m', model_path: '/srv/models/ABCDEFGHIJKLMNOPQRSTUVWX/x.gguf', extra_args: words }],
    mine: options,
  })) {
    expect(text).not.toContain('<redacted>')
    expect(text).toContain(JSON.stringify(words))
    expect(text).toContain(JSON.stringify(options))
  }
})
