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
  ['Bearer xyz', masked],
  ['Basic dTpw', masked],
  ["http://u:SECRET'x@h", `http://${masked}@h`],
  ['http://u:SECRET"x@h/v1', `http://${masked}@h/v1`],
  ['http://u:SECRET x@h/', `http://${masked}@h/`],
  ['redis://u:SECRET@val@h', `redis://${masked}@h`],
  ["redis://:SE'CR/ET@h:1/0", `redis://${masked}@h:1/0`],
  ['redis://:SECRET@a:1,redis://:SECRET@b:2', `redis://${masked}@a:1,redis://${masked}@b:2`],
  ['https://relay.example/http://u:SECRET@h/x', `https://relay.example/http://${masked}@h/x`],
  ["it is at http://u:SECRET'x@h now", `it is at http://${masked}@h now`],
  ['https://hooks.example/services/T00000000/SECRETSECRETSECRETSECRET', `https://hooks.example/services/T00000000/${masked}`],
  ['root:SEC@RET@tcp(db:3306)/app', `${masked}@tcp(db:3306)/app`],
  ['run --api-key SECRET --port 1', `run --api-key ${masked} --port 1`],
  ['sslmode=require sslkey=/etc/ssl/my.key pass=SECRET', `sslmode=require sslkey=/etc/ssl/my.key pass=${masked}`],
  ['SECRETSECRETSECRETSECRET', masked],
  ['hf.co/bartowski/Meta-Llama-3.1-8B-Instruct-GGUF:Q4_K_M', 'hf.co/bartowski/Meta-Llama-3.1-8B-Instruct-GGUF:Q4_K_M'],
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
    ['--password', '--SECRET', '--token', '-S3CRET', '--token', '--x9-S'],
    ['--password', masked, '--token', masked, '--token', masked],
  ],
  [
    ['-k', 'SECRET', '--key', 'SECRET', '--pass', 'SECRET', '--pwd', 'SECRET', 'PGPASS=SECRET'],
    ['-k', masked, '--key', masked, '--pass', masked, '--pwd', masked, `PGPASS=${masked}`],
  ],
  [
    ['-k', 'https://h/x', '--key', '/etc/ssl/my.key', '--ssl-key-file', '/etc/x', '--sort-key', 'name', '--pwd', '/srv', '--keys', '5'],
    ['-k', 'https://h/x', '--key', '/etc/ssl/my.key', '--ssl-key-file', '/etc/x', '--sort-key', 'name', '--pwd', '/srv', '--keys', '5'],
  ],
  [
    ['-pS3cret', '-p', 'S3cret', '-a', 'S3cret', '-uroot:SECRET', '-HX-Team: red', '-ePLAIN=SECRET', '--header=X: y', '--env=A=b'],
    [`-p${masked}`, '-p', masked, '-a', masked, `-u${masked}`, `-H${masked}`, `-e${masked}`, `--header=${masked}`, `--env=${masked}`],
  ],
  [
    ['-p', '8080:80', '-p', '127.0.0.1:1:2', '-p5432', '-port', '1', '-p', 'project', '-p', '@scope/tool', '-parallel=4', '-v'],
    ['-p', '8080:80', '-p', '127.0.0.1:1:2', '-p5432', '-port', '1', '-p', 'project', '-p', '@scope/tool', '-parallel=4', '-v'],
  ],
  [
    ['Authorization:', 'Bearer', 'xyz', 'X-Api-Key:', 'SECRET'],
    ['Authorization:', masked, masked, 'X-Api-Key:', masked],
  ],
  [
    ["--url=http://u:SEC'RET@h/x", 'http://u:SEC RET@h'],
    [`--url=http://${masked}@h/x`, `http://${masked}@h`],
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

const names =
  'llama3.2-vision:11b-instruct-q4_K_M Qwen3-235B-A22B-Instruct-2507-UD-Q4_K_XL SmolLM2-1.7B-Instruct-Q8_0 claude-3-5-sonnet-20241022 ' +
  'granite-3.1-3b-a800m-instruct meta-llama/Llama-3.2-11B-Vision-Instruct phi-3-medium-128k-instruct-IQ3_XXS gpt-4o-mini-2024-07-18 ' +
  'dolphin-mixtral:8x22b-v2.9-q4_K_M sentence-transformers/all-MiniLM-L6-v2 @anthropic-ai/claude-code@1.2.3 mcp-server-sqlite-npx ' +
  'ghcr.io/github/github-mcp-server OLLAMA_MAX_LOADED_MODELS gpu-box.internal.example.org:8080 2024-11-12T00:00:00Z ' +
  'path/to/some/long/folder /srv/models/ABCDEFGHIJKLMNOPQRSTUVWX/x.gguf C:\\models\\some-very-long-name.gguf abcdefghij0123456789.gguf ' +
  '--some-very-long-flag-of-a-program --enableExperimentalFeatures tokenizer.chat_template.default'
test.each(names.split(' '))('a long word that is no key: %s', word => {
  expect(mask({ args: ['serve', word] })).toEqual({ args: ['serve', word] })
  expect(mask({ some_option: word })).toEqual({ some_option: word })
})

const keys =
  'aB3dEfG7hI9jK1lM3nO5 abcdefghijklmnopqrstuvwx x!K9$mP2@vL5#nR8&wQ4aaa 8f14e45f-ceea-467f-9aef-1c2d3e4f5a6b ' +
  'Zm9vYmFyYmF6cXV4MTIz/abc+def ABCDE-12345-FGHIJ-67890-KLMNO a94a8fe5ccb19ba61c4c0873d391e987982fbbd3 sk-fakefakefakefakefake'
test.each(keys.split(' '))('a long word that may be one: %s', word => {
  expect(JSON.stringify(mask({ args: ['serve', word] }))).not.toContain(word.slice(0, 12))
  expect(JSON.stringify(mask({ command: `serve --x=${word}` }))).not.toContain(word.slice(0, 12))
  expect(JSON.stringify(mask({ some_option: word, listed: [word], [word]: 1 }))).not.toContain(word.slice(0, 12))
})

test('a command may be one of the arguments', () => {
  const inner = (key: string, header: string) => `curl --key ${key} -H ${header} http://h`
  expect(mask({ args: ['-c', inner('SECRET', "'X-Team: red'")] })).toEqual({ args: ['-c', inner(masked, masked)] })
  expect(mask({ command: `sh -c "${inner('SECRET', "'X-Team: red'")}"` })).toEqual({ command: `sh -c "${inner(masked, masked)}"` })
})

test('a command keeps its quotes and spaces where nothing is masked', () => {
  const command = `serve  -m "/my models/a b.gguf" --key 'a b' --url="http://u:S x@h/y" --port \${PORT}`
  expect(mask({ command })).toEqual({
    command: `serve  -m "/my models/a b.gguf" --key ${masked} --url=http://${masked}@h/y --port \${PORT}`,
  })
})

test('a secret is masked wherever it stands a second time', () => {
  expect(maskSettings({ name: 'x hunter2! y', args: ['say', 'hunter2!'], list: ['hunter2!'] }, ['hunter2!'])).toEqual({
    name: `x ${masked} y`,
    args: ['say', masked],
    list: [masked],
  })
})
