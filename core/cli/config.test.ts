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
const files = { 'gatehouse.yaml': everything }

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
    [['config', 'check', '--jsn'], "Unknown option '--jsn'"],
  ])('%p is one line and exit 1', async (args, line) => {
    const { code, stderr } = await runGatehouse({ args })
    expect(stderr).toContain(line)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(code).toBe(1)
  })
})
