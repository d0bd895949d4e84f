// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test
import { describe, expect, test } from 'bun:test'
import { showConfig } from '../config/show.ts'
import type { Tree } from '../config/tree.ts'
import { tryConfig } from '../config/try-config.ts'
import { runGatehouse } from '../testing/gatehouse-process.ts'
import { configLines } from './config-lines.ts'

const everything = `
host: 127.0.0.1
tls: { cert_file: c.pem, key_file: k.pem }
api_key: s3cret-1
api_key_sha256: ${'a1'.repeat(32)}
admin: { api_key: s3cret-2 }
allowed_hosts: [a, b.example.org]
cors_origins: '*'
timeouts: { total: 90m, queue: none }
pipeline: [auth, ./mine.ts, router]
ollama_host: http://me:s3cret-3@h:1
backends:
  ollama: { type: ollama, base_url: http://me:s3cret-3@h:1 }
  box: { type: vllm, base_url: http://h:2, api_key: s3cret-4, headers: { X-Team: s3cret-5 }, timeouts: { idle: 1m30s } }
  'odd.name': { type: echo, delay: 1500us, models: ['yes', '1.0', 'a: b', 'x, y', '# z', "it's", 'naïve', "tab\\there"] }
default_backend: box
models:
  - { name: m, targets: [{ backend: box, set: { keep_alive: 10m, api_key: s3cret-6, n: 1.50 }, strip: [seed] }], context_length: 5 }
  - { name: run, model_path: ~/m.gguf, extra_args: [--api-key, s3cret-7, '$\${X}'] }
  - { name: any, command: 'serve --port \${PORT} --token s3cret-8' }
quota: { default_tokens: none }
redis: { url: 'redis://:s3cret-9@h:1/2' }
metrics: { token: s3cret-10 }
mcp:
  servers:
    - { name: a, command: npx, args: [-y, --password=s3cret-11, 'postgres://u:s3cret-12@h/d'], env: { PGPASSWORD: s3cret-13, B: s3cret-14 } }
    - { name: b, url: 'https://u:s3cret-15@h/x?key=s3cret-16', headers: { Authorization: Bearer s3cret-17 } }
plugins: { configs: { p: { apiKey: s3cret-18, deep: [{ private-key: s3cret-19 }] } } }
mine: { client-secret: s3cret-20, color: red, 007: bond }
`
const files = { 'gatehouse.yaml': everything, 'mine.ts': `export default { name: 'mine', setup: () => ({}) }` }

describe('config check', () => {
  test('hides every secret, and shows the rest with its source', async () => {
    const { code, stdout, stderr } = await runGatehouse({
      args: ['config', 'check'],
      files,
      env: { PORT: '4000', HEALTH_CHECK_TIMEOUT: '90s' },
    })
    expect(stdout + stderr).not.toContain('s3cret')
    expect(stdout).not.toContain('a1a1')
    expect(stdout).toMatch(/^port: 4000 +# environment PORT$/m)
    expect(stdout).toMatch(/^health_check_timeout: 1m30s +# environment HEALTH_CHECK_TIMEOUT$/m)
    expect(stdout).toMatch(/^ {2}queue: none +# .*gatehouse\.yaml$/m)
    expect(stdout).toMatch(/^heartbeat: 10s +# default$/m)
    expect(stdout).toMatch(/^ {4}api_key: <redacted> +# .*gatehouse\.yaml$/m)
    expect(stderr).toContain('gatehouse: warning: ')
    expect(code).toBe(0)
  })

  test('--json has the same, and what was said', async () => {
    const { code, stdout, stderr } = await runGatehouse({ args: ['config', 'check', '--json'], files, env: { PORT: '4000' } })
    expect(stdout + stderr).not.toContain('s3cret')
    const report = JSON.parse(stdout)
    expect(report).toMatchObject({
      config: { port: 4000, timeouts: { total: '1h30m', queue: 'none' }, admin: { api_key: '<redacted>' }, mine: { color: 'red' } },
      sources: { port: 'environment PORT', heartbeat: 'default' },
      format: 'gatehouse',
    })
    expect(report.file).toEndWith('/gatehouse.yaml')
    expect(report.warnings.length).toBeGreaterThan(0)
    expect(code).toBe(0)
  })

  test('each mistake is a line on stderr, and nothing goes to stdout', async () => {
    const { code, stdout, stderr } = await runGatehouse({ args: ['config', 'check'], files: { 'gatehouse.yaml': 'prot: 1\nheartbeat: 5' } })
    expect(stdout).toBe('')
    expect(stderr.trim().split('\n')).toHaveLength(2)
    expect(stderr).toContain('gatehouse.yaml: prot: is not a setting; did you mean port?')
    expect(code).toBe(1)
  })

  test('reads the file it is told to', async () => {
    const { stdout } = await runGatehouse({ args: ['config', 'check', '-c', 'x/my.yaml'], files: { 'x/my.yaml': 'port: 4001' } })
    expect(stdout).toMatch(/^# .*\/x\/my\.yaml\n/)
    expect(stdout).toMatch(/^port: 4001 +# .*\/x\/my\.yaml$/m)
  })

  test('says whose config a legacy file is', async () => {
    const { stdout } = await runGatehouse({ args: ['config', 'check'], files: { 'llamagate.yaml': 'port: 4002' } })
    expect(stdout).toMatch(/^# .*llamagate\.yaml: read as a config of LlamaGate\n/)
    expect(stdout).toMatch(/^ {2}dir: .*\.llamagate\/data\/memory +# default of LlamaGate$/m)
  })

  test('what it prints is a config with the same effect', async () => {
    const before = await tryConfig({ files })
    const shown = showConfig(before.config)
    const again = configLines(shown, before)
      .join('\n')
      .replaceAll('<redacted>', 'x')
      .replace(/^api_key_sha256.*$/m, '')
    const after = await tryConfig({ files: { 'gatehouse.yaml': again } })
    const harmless = JSON.parse(JSON.stringify(shown).replaceAll('<redacted>', 'x')) as Tree
    delete harmless.api_key_sha256
    expect(JSON.parse(JSON.stringify(showConfig(after.config)).replaceAll('<redacted>', 'x'))).toEqual(harmless)
    expect(after.config.models[2]?.command).toContain('${PORT}')
  })
})

describe('config check of plugins', () => {
  const check = (yaml: string, more: Record<string, string> = {}, env: Record<string, string> = {}) =>
    runGatehouse({ args: ['config', 'check'], files: { 'gatehouse.yaml': yaml, ...more }, env })
  const linesOf = (stderr: string) =>
    stderr
      .trim()
      .split('\n')
      .map(line => line.replace(/^(gatehouse: (?:warning: )?)\S*\/gatehouse\.yaml/, '$1FILE'))
  const plugin = (
    name: string,
    options = 'v.strictObject({ color: v.picklist(["red", "blue"]), deep: v.optional(v.strictObject({ er: v.number() })) })',
  ) =>
    `import { definePlugin, v } from 'gatehouse'\nexport default definePlugin({ name: '${name}', options: ${options}, setup: () => ({}) })\n`

  test.each<[string, string[]]>([
    ['router: { foo: 1 }', ['FILE: router.foo: is not a setting; known here: retries, session_header']],
    [
      'router: { retrys: 1, retris: 2 }',
      ['FILE: router.retrys: is not a setting; did you mean retries?', 'FILE: router.retris: is not a setting; did you mean retries?'],
    ],
    ['router: { retries: x }', ['FILE: router.retries: must be a number, not "x"']],
    ['router: { retries: -1 }', ['FILE: router.retries: must be at least 0, not -1']],
    ['router: { retries: 1.5 }', ['FILE: router.retries: must be a whole number, not 1.5']],
    ['plugins: { configs: { router: { retries: 99 } } }', ['FILE: plugins.configs.router.retries: must be at most 10, not 99']],
    ['plugins: { configs: { cache: { ttl: 1m } } }', ['FILE: plugins.configs.cache.ttl: is not a setting']],
    ['pipeline: [auht, limiter, router]', ['FILE: pipeline[0]: there is no plugin "auht"; did you mean auth?']],
    ['pipeline: [auth, quotas, router]', ['FILE: pipeline[1]: there is no plugin "quotas"; did you mean quota?']],
    ['pipeline: [router, auth]', ['FILE: pipeline: auth must stand before router, which would act on requests that nobody has let in yet']],
  ])('%s', async (yaml, expected) => {
    const { code, stdout, stderr } = await check(yaml)
    expect(linesOf(stderr)).toEqual(expected.map(line => `gatehouse: ${line}`))
    expect(stdout).toBe('')
    expect(code).toBe(1)
  })

  test('options from a variable name the variable', async () => {
    const { stderr } = await check('port: 1', {}, { GATEHOUSE_ROUTER_RETRIES: 'many' })
    expect(linesOf(stderr)).toEqual(['gatehouse: environment GATEHOUSE_ROUTER_RETRIES: router.retries: must be a number, not "many"'])
  })

  test('a plugin of the user: its options, and every other top-level key, with what was meant', async () => {
    const yaml =
      'pipeline: [auth, ./mine.ts, router]\nprot: 1\nbakends: {}\nmine: { color: green, deep: { er: x, ere: 1 }, api_key: sk-fake-of-this-test }'
    const { code, stderr } = await check(yaml, { 'mine.ts': plugin('mine') })
    expect(linesOf(stderr)).toEqual([
      'gatehouse: FILE: mine.color: must be "red" or "blue", not "green"',
      'gatehouse: FILE: mine.deep.er: must be a number, not "x"',
      'gatehouse: FILE: mine.deep.ere: is not a setting; did you mean er?',
      'gatehouse: FILE: mine.api_key: is not a setting; known here: color, deep',
      'gatehouse: FILE: prot: is not a setting, and no plugin in the pipeline is called "prot"; did you mean port?',
      'gatehouse: FILE: bakends: is not a setting, and no plugin in the pipeline is called "bakends"; did you mean backends?',
    ])
    expect(stderr).not.toContain('sk-fake')
    expect(code).toBe(1)
  })

  test.each<[string, string, string]>([
    ['a missing option', plugin('mine'), 'FILE: mine.color: is missing'],
    ['words of its own', plugin('mine', 'v.object({ color: v.string("write a color") })'), 'FILE: mine.color: write a color'],
    ['a secret', plugin('mine', 'v.object({ color: v.optional(v.string()), token: v.number() })'), 'FILE: mine.token: must be a number'],
    ['a file that cannot be loaded', 'export default {', 'FILE: pipeline[0]: '],
    ['a file without a plugin', 'export default 7', 'FILE: pipeline[0]: '],
  ])('a plugin of the user with %s', async (what, text, line) => {
    const sections: Record<string, string> = {
      'a secret': 'mine: { token: sk-fake-of-this-test }',
      'words of its own': 'mine: { color: 5 }',
    }
    const yaml = `pipeline: [./mine.ts, router]\n${sections[what] ?? ''}`
    const { code, stderr } = await check(yaml, { 'mine.ts': text })
    expect(linesOf(stderr)[0]).toStartWith(`gatehouse: ${line}`)
    expect(stderr).not.toContain('sk-fake')
    expect(code).toBe(1)
  })

  test('a plugin whose file goes on working does not hold up the end', async () => {
    const { code, stdout } = await check('pipeline: [auth, ./mine.ts, router]', {
      'mine.ts': `setInterval(() => {}, 1000)\n${plugin('mine', 'v.object({})')}`,
    })
    expect(stdout).toContain('pipeline:')
    expect(code).toBe(0)
  })

  test('without a router it is right, but answers nobody', async () => {
    const { code, stderr } = await check('pipeline: [auth]')
    expect(linesOf(stderr)).toEqual([
      'gatehouse: warning: FILE: pipeline: has no router, so that calls to a model end with 501; add router at its end',
    ])
    expect(code).toBe(0)
  })
})

describe('config schema', () => {
  test('prints a JSON Schema', async () => {
    const { code, stdout } = await runGatehouse({ args: ['config', 'schema'] })
    expect(JSON.parse(stdout)).toMatchObject({ $schema: 'http://json-schema.org/draft-07/schema#', title: 'gatehouse.yaml' })
    expect(code).toBe(0)
  })
})

describe('config', () => {
  test.each([
    [['config'], 'config needs check or schema;'],
    [['config', 'fly'], 'config needs check or schema, not "fly";'],
    [['config', 'check', 'now'], 'config takes no argument "now"'],
    [['config', 'chekc'], 'config needs check or schema, not "chekc"; did you mean check? gatehouse config --help'],
    [['config', 'check', '--jsn'], 'config has no option --jsn; did you mean --json? gatehouse config --help lists its options'],
  ])('%p is one line and exit 1', async (args, line) => {
    const { code, stderr } = await runGatehouse({ args })
    expect(stderr).toContain(line)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(code).toBe(1)
  })
})
