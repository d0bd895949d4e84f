import { describe, expect, test } from 'bun:test'
import { isSecretName, maskArguments, maskFree, maskText, maskUrls } from './mask.ts'

test.each([
  'api_key',
  'API_KEY',
  'x-api-key',
  'apikey',
  'apiKey',
  'token',
  'access-token',
  'password',
  'db_password',
  'client-secret',
  'auth',
  'Authorization',
  'proxy-authorization',
  'credential',
  'credentials',
  'private',
  'private-key',
  'auth.token',
])('%s is a secret name', name => {
  expect(isSecretName(name)).toBe(true)
})
test.each(['model', 'key', 'wake_word', 'url', 'max_size', 'keys'])('%s is none', name => {
  expect(isSecretName(name)).toBe(false)
})

test.each<[string, string]>([
  ['http://h:1/v1', 'http://h:1/v1'],
  ['http://me:pw@h:1/v1', 'http://<secret>@h:1/v1'],
  ['redis://:p%40w@h:1/2', 'redis://<secret>@h:1/2'],
  ['postgresql://u:p@h/db', 'postgresql://<secret>@h/db'],
  ['https://h/x?key=1&b=2#f', 'https://h/x?<secret>#f'],
  ['see http://a:b@c and https://d?e', 'see http://<secret>@c and https://d?<secret>'],
  ['me@example.org', 'me@example.org'],
  ['http://h/a@b', 'http://h/a@b'],
])('maskUrls %s', (text, masked) => {
  expect(maskUrls(text)).toBe(masked)
})

describe('arguments', () => {
  test.each<[string, string]>([
    ['--api-key=s3', '--api-key=<secret>'],
    ['--api-key s3', '--api-key <secret>'],
    ['serve --token s3 --port 1', 'serve --token <secret> --port 1'],
    ['API_TOKEN=s3 run', 'API_TOKEN=<secret> run'],
    ['-H "Authorization: Bearer s3"', '-H "Authorization: <secret>"'],
    ["--password='a b' x", '--password=<secret> x'],
    ['--auth --port 1', '--auth --port 1'],
    ['sk-abcdef123456', '<secret>'],
    ['ghp_abcdef123456', '<secret>'],
    ['-y @scope/server /tmp', '-y @scope/server /tmp'],
    ['whisper-server --port 1 -m /models/whisper.bin', 'whisper-server --port 1 -m /models/whisper.bin'],
  ])('%s', (text, masked) => {
    expect(maskText(text)).toBe(masked)
  })
  test('the one behind the name of a secret', () => {
    expect(maskArguments(['--token', 's3', '--dir', 'x', '--secret', '-s4', 'postgres://u:p@h/d'])).toEqual([
      '--token',
      '<secret>',
      '--dir',
      'x',
      '--secret',
      '<secret>',
      'postgres://<secret>@h/d',
    ])
  })
})

test('options of plugins are hidden by their names, at any depth', () => {
  expect(maskFree({ a: 1, 'api-key': 's3', deep: [{ auth: { user: 's3' }, url: 'http://a:s3@b' }], tokens: 5 })).toEqual({
    a: 1,
    'api-key': '<secret>',
    deep: [{ auth: '<secret>', url: 'http://<secret>@b' }],
    tokens: '<secret>',
  })
})
