import { expect, test } from 'bun:test'
import { maskSettings } from './mask.ts'

const masked = '<redacted>'
const mask = (settings: unknown) => maskSettings(settings, [])

test('values with a name that looks secret, also of another type and inside of them', () => {
  expect(
    mask({
      api_key: 'k-1234567',
      APIKey: 'k',
      admin: { api_key: 'x' },
      metrics: { token: 'y' },
      auth: 'auto',
      max_tokens: 5,
      redis: { password: 12345678 },
      credentials: { user: 'u', list: ['a'] },
    }),
  ).toEqual({
    api_key: masked,
    APIKey: masked,
    admin: { api_key: masked },
    metrics: { token: masked },
    auth: 'auto',
    max_tokens: 5,
    redis: { password: masked },
    credentials: { user: masked, list: [masked] },
  })
})

test('what is not set is seen not to be', () => {
  expect(mask({ api_key: undefined, token: '', password: null, headers: {}, none: Number.POSITIVE_INFINITY })).toEqual({
    api_key: undefined,
    token: '',
    password: null,
    headers: {},
    none: 'none',
  })
})

test('every header and every variable, whatever its name', () => {
  expect(mask({ headers: { 'X-Team': 'red', 'X-API-Key': 'k' }, Env: { NODE_ENV: 'production' } })).toEqual({
    headers: { 'X-Team': masked, 'X-API-Key': masked },
    Env: { NODE_ENV: masked },
  })
})

test.each([
  ['http://user:pa55word@box:8000/v1', `http://${masked}@box:8000/v1`],
  ['https://box/v1?key=abc#frag', `https://box/v1?${masked}`],
  ['redis://:pa55word@cache:6379/0', `redis://${masked}@cache:6379/0`],
  ['http://localhost:11434/base', 'http://localhost:11434/base'],
  ['root:pa55word@tcp(db:3306)/app', `${masked}@tcp(db:3306)/app`],
  ['host=db user=app password=pa55word', `host=db user=app password=${masked}`],
  ['Server=db;Password="pa55 word";Timeout=5', `Server=db;Password=${masked};Timeout=5`],
  ['Authorization: Bearer abcdefgh1234', `Authorization: ${masked}`],
  ['x: 1, X-Api-Key: two words', `x: 1, X-Api-Key: ${masked}`],
  ['X-Api-Key: two words', `X-Api-Key: ${masked}`],
  ['see Bearer abcdefgh1234', `see ${masked}`],
  ['sk-fake0000000000000000000', masked],
  ['/models/qwen3-8b-q4_k_m.gguf', '/models/qwen3-8b-q4_k_m.gguf'],
  ['qwen3:8b', 'qwen3:8b'],
  ['127.0.0.1', '127.0.0.1'],
  ['http://[::1]:3000', 'http://[::1]:3000'],
])('in a text: %s', (text, shown) => {
  expect(mask({ some_setting: text })).toEqual({ some_setting: shown })
})

test.each([
  [
    ['--api-key', 'hunter2!', '--port', '1'],
    ['--api-key', masked, '--port', '1'],
  ],
  [
    ['--token=hunter2!', '-v'],
    [`--token=${masked}`, '-v'],
  ],
  [
    ['API_KEY=hunter2!', 'run'],
    [`API_KEY=${masked}`, 'run'],
  ],
  [
    ['-H', 'X-Team: red', '--url', 'https://a:b@h/p'],
    ['-H', masked, '--url', `https://${masked}@h/p`],
  ],
  [
    ['-e', 'PLAIN=hunter2!'],
    ['-e', masked],
  ],
  [
    ['--password', '--verbose'],
    ['--password', '--verbose'],
  ],
  [
    ['--max-tokens', '512'],
    ['--max-tokens', '512'],
  ],
  [
    ['-y', '@modelcontextprotocol/server-filesystem', '/srv'],
    ['-y', '@modelcontextprotocol/server-filesystem', '/srv'],
  ],
])('in arguments: %j', (args, shown) => {
  expect(mask({ args })).toEqual({ args: shown })
  expect(mask({ Args: args })).toEqual({ Args: shown })
  expect(mask({ command: args.map(word => (word.includes(' ') ? `"${word}"` : word)).join(' ') })).toEqual({ command: shown.join(' ') })
})

test('a secret is masked wherever it stands a second time', () => {
  expect(maskSettings({ name: 'x hunter2! y', args: ['say', 'hunter2!'], list: ['hunter2!'] }, ['hunter2!'])).toEqual({
    name: `x ${masked} y`,
    args: ['say', masked],
    list: [masked],
  })
})
