// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test
import { describe, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import Ajv, { type ErrorObject } from 'ajv'
import { configJsonSchema } from './json-schema.ts'
import { plainNames } from './plain-names.ts'
import { fileSchema } from './schema.ts'
import { type Part, shapeOf } from './shape.ts'
import { complaints } from './try-config.ts'

const schema = configJsonSchema()
const validate = new Ajv({ strict: false, allErrors: true }).compile(JSON.parse(JSON.stringify(schema)))
const judge = (text: string): readonly ErrorObject[] => (validate(Bun.YAML.parse(text) ?? null) ? [] : (validate.errors ?? []))

const root = join(import.meta.dir, '..', '..')
const folders = readdirSync(join(root, 'examples'), { withFileTypes: true }).filter(entry => entry.isDirectory())
const examples = folders
  .map(({ name }) => join('examples', name, 'gatehouse.yaml'))
  .filter(path => Bun.file(join(root, path)).size > 0)
  .concat('core/config/handbook.example.yaml')

/** Every setting, with `<name>` for names that are free and `[]` for the items of a list. */
function leaves(part: Part, at = ''): string[] {
  const shape = shapeOf(part)
  if (shape.kind === 'mapping') return Object.entries(shape.keys).flatMap(([key, inner]) => leaves(inner, at === '' ? key : `${at}.${key}`))
  if (shape.kind === 'record') return leaves(shape.value, `${at}.<name>`)
  const items = shape.kind === 'list' ? leaves(shape.item, `${at}[]`) : [at]
  return items.length > 1 ? items : [at]
}

describe('what it accepts', () => {
  test('there are examples', () => {
    expect(examples.length).toBeGreaterThan(3)
  })
  test.each(examples)('%s', async path => {
    // braces around a plain ${NAME} are for gatehouse to read, not for YAML
    const text = (await Bun.file(join(root, path)).text()).replace(/\$\{\w+\}/g, match => (match === '${PORT}' ? '8081' : 'x'))
    expect(judge(text)).toEqual([])
  })

  test.each([
    '',
    'port: "3333"\napi_key:\nbackends:\n',
    'port: "${P}"\ndebug: "${D}"\nauth: "${A}"\ntimeout: "${T}"\nmax_body_size: "${M}"\nrate_limit_rps: "${R}"',
    'debug: yes\nauth: OFF\ntls: { enabled: 0 }',
    'timeouts: { total: none, queue: 1m30s, load: 1.5h }\nshutdown_timeout: 0\nheartbeat: 500µs',
    'max_body_size: 32MiB\ncache: { max_bytes: 1.5 GB }',
    'cors_origins: "*"\nallowed_hosts: a,b',
    'quota: { default_tokens: none }',
    'backends: { a: { type: openai }, b: { type: echo, delay: 1s }, c: { type: "${T}", base_url: "${U}" } }',
    'models: [{ name: a, targets: [{ backend: b, set: { x: [1] } }] }, { name: b, model_path: /m, extra_args: [-c, 1] }, { name: c, command: x }]',
    'models: [{ name: a, command: x, health: /ready, env: { A: 1 }, cwd: d, stop: "end ${MODEL_ID}", slots: 1, ttl: none, group: g }]\ngroups: { g: { exclusive: yes } }',
    'models: [{ name: a, model_path: /m, slots: "${S}", ttl: 10m, pin: true, preload: on, load_timeout: none, unlisted: no }]',
    'models: [{ name: a, strategy: Least-Busy, targets: [{ backend: b }] }]\nmodels_dir: ~/models\nmemory_limit: 24GiB\ngroups: { g: {}, h: { persistent: 1 } }',
    'queue: { max_length: 0, max_per_key: 10 }\nbreaker: { failure_rate: 1, cooldown: 500ms }',
    'mcp: { allow_tools: "a b", servers: [{ name: a, command: x, args: [1, true], env: { A: 1 } }] }',
    'timeout: 30m\nheartbeat: 576h\ntimeouts: { total: 034559m, idle: 29m60s, load: 1.5h }\nhealth_check_timeout: 00030.9m',
    'tls: { enabled: false }\napi_key: " sk-a b "',
    'tls: { enabled: yes, cert_file: a, key_file: b }',
    'models: [{ name: a, model_path: , command: x }]',
    'mcp: { servers: [{ name: a, transport: , command: x }, { name: b, transport: Http, url: "http://x" }, { name: c, url: "http://x" }] }',
    'my-plugin: { anything: [1] }\nplugins: { configs: { a: { b: 1 } } }',
  ])('%p', text => {
    expect(judge(text)).toEqual([])
  })
})

describe('what it refuses, as the start does', () => {
  test.each<[string, string]>([
    ['port: 0', '/port'],
    ['port: abc', '/port'],
    ['port: [1]', '/port'],
    ['auth: maybe', '/auth'],
    ['debug: perhaps', '/debug'],
    ['timeout: 300', '/timeout'],
    ['timeout: 5', '/timeout'],
    ['heartbeat: none', '/heartbeat'],
    ['timeouts: 5m', '/timeouts'],
    ['timeouts: { totl: 1m }', '/timeouts'],
    ['rate_limit_rps: 0', '/rate_limit_rps'],
    ['max_body_size: 32M', '/max_body_size'],
    ['api_key: 12345', '/api_key'],
    ['cache: { mode: some }', '/cache/mode'],
    ['cache: true', '/cache'],
    ['pipeline: []', '/pipeline'],
    ['backends: { x: { type: olama, base_url: "http://h" } }', '/backends/x/type'],
    ['backends: { x: { type: vllm } }', '/backends/x'],
    ['backends: { x: { type: vllm, base_url: "h:1" } }', '/backends/x/base_url'],
    ['backends: { x: }', '/backends/x'],
    ['backends: { "a b": { type: echo } }', '/backends'],
    ['models: [{ name: a }]', '/models/0'],
    ['models: [{ targets: [{ backend: b }] }]', '/models/0'],
    ['models: [{ name: a, targets: [] }]', '/models/0/targets'],
    ['models: [{ name: a, model_path: x, gpu_layers: -2 }]', '/models/0/gpu_layers'],
    ['models: [{ name: a, model_path: x, command: y }]', '/models/0'],
    ['models: [{ name: a, targets: [{ backend: b }], model_path: x }]', '/models/0'],
    ['models: [{ name: a, model_path: }]', '/models/0'],
    ['models: [{ name: a, strategy: random, targets: [{ backend: b }] }]', '/models/0/strategy'],
    ['models: [{ name: a, command: x, slots: 0 }]', '/models/0/slots'],
    ['models: [{ name: a, command: x, health: health }]', '/models/0/health'],
    ['models: [{ name: a, command: x, ttl: 600 }]', '/models/0/ttl'],
    ['models: [{ name: a, command: x, env: { "a b": c } }]', '/models/0/env'],
    ['models: [{ name: a, command: x, load_timeout: 5 }]', '/models/0/load_timeout'],
    ['groups: { g: { exclusive: maybe } }', '/groups/g/exclusive'],
    ['groups: { g: { members: [a] } }', '/groups/g'],
    ['groups: { "a b": {} }', '/groups'],
    ['memory_limit: 24G', '/memory_limit'],
    ['queue: { max_length: -1 }', '/queue/max_length'],
    ['breaker: { failures: 0 }', '/breaker/failures'],
    ['breaker: { failure_rate: 1.5 }', '/breaker/failure_rate'],
    ['breaker: { window: none }', '/breaker/window'],
    ['tls: { enabled: true }', '/tls'],
    ['tls: { enabled: "YES", cert_file: a, key_file: }', '/tls/key_file'],
    ['tls: { enabled: 1, key_file: a }', '/tls'],
    ['timeout: 31m', '/timeout'],
    ['timeout: 1h', '/timeout'],
    ['timeout: 1801s', '/timeout'],
    ['timeout: 5m1800001ms', '/timeout'],
    ['heartbeat: 577h', '/heartbeat'],
    ['shutdown_timeout: 1000h', '/shutdown_timeout'],
    ['timeouts: { total: 35000m }', '/timeouts/total'],
    ['api_key: "a\\nb"', '/api_key'],
    ['api_key: schlüssel', '/api_key'],
    ['backends: { x: { type: openai, api_key: "a\\nb" } }', '/backends/x'],
    ['mcp: { servers: [{ name: health, command: x }] }', '/mcp/servers/0/name'],
    ['mcp: { servers: [{ name: a }] }', '/mcp/servers/0'],
    ['mcp: { servers: [{ name: a, transport: stdio, url: "http://x" }] }', '/mcp/servers/0'],
    ['mcp: { servers: [{ name: a, transport: SSE, command: x }] }', '/mcp/servers/0'],
    ['mcp: { servers: [{ name: a, transport: , command: }] }', '/mcp/servers/0/command'],
    ['mcp: { max_tool_rounds: 0 }', '/mcp/max_tool_rounds'],
    ['mcp: { servers: [{ name: a, transport: pipe }] }', '/mcp/servers/0/transport'],
    ['redis: { url: "http://x" }', '/redis/url'],
  ])('%p', async (text, at) => {
    expect(judge(text).map(({ instancePath }) => instancePath)).toContain(at)
    expect(await complaints({ files: { 'gatehouse.yaml': text } })).not.toEqual([])
  })
})

describe('every setting', () => {
  const all = leaves(fileSchema)
  const walk = (json: unknown, visit: (json: Record<string, unknown>, at: string) => void, at = ''): void => {
    const node = json as { properties?: Record<string, unknown>; items?: unknown; anyOf?: unknown[]; additionalProperties?: unknown }
    for (const [key, inner] of Object.entries(node.properties ?? {})) {
      visit(inner as Record<string, unknown>, `${at}/${key}`)
      walk(inner, visit, `${at}/${key}`)
    }
    for (const inner of [node.items, node.additionalProperties, ...(node.anyOf ?? [])])
      if (typeof inner === 'object') walk(inner, visit, at)
  }

  test('has a type, and a description that is a sentence', () => {
    const seen: string[] = []
    walk(schema, ({ type, anyOf, enum: words, description }, at) => {
      seen.push(at)
      expect([at, Boolean(type ?? anyOf ?? words)]).toEqual([at, true])
      expect([at, String(description)]).toEqual([at, expect.stringMatching(/^.{4,}[.*]$/)])
    })
    expect(seen.length).toBeGreaterThan(110)
  })

  test('has its default', () => {
    expect(schema.properties).toMatchObject({
      port: { default: 11_435 },
      timeout: { default: '5m' },
      cache: { properties: { ttl: { default: '1h' }, mode: { default: 'auto' } } },
      queue: { properties: { max_length: { default: 256 } } },
      breaker: { properties: { failure_rate: { default: 0.5 }, window: { default: '1m' } } },
    })
  })

  test('is in the table of the README, and nothing else is', async () => {
    const readme = await Bun.file(join(import.meta.dir, 'README.md')).text()
    const table = readme.slice(readme.indexOf('| key |'), readme.indexOf('| any other |'))
    const listed: string[] = []
    for (const row of table.split('\n').slice(2, -1)) {
      for (const [, key = ''] of (row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)) {
        const before = listed.at(-1) ?? ''
        listed.push(key.startsWith('.') ? before.replace(/\.<name>$/, '').replace(/\.[^.]*$/, key) : key)
      }
    }
    expect(listed.toSorted()).toEqual([...new Set(all)].toSorted())
    for (const [name, path] of Object.entries(plainNames)) {
      const row = table.split('\n').find(line => line.includes(`\`${name}\``))
      expect([name, row !== undefined]).toEqual([name, true])
      expect([name, row?.includes(String(path.at(-1)))]).toEqual([name, true])
    }
  })
})
