import { describe, expect, test } from 'bun:test'
import { complaints, type Machine, tryConfig } from '../try-config.ts'
import { onlyModelgate, recognise } from './recognise.ts'
import { example } from './testing.ts'

const yaml = (text: string) => Bun.YAML.parse(text) as Record<string, unknown>

describe('whose config a file is', () => {
  test.each<[string, string, string]>([
    ['gatehouse.yaml', 'llama_server_path: x', 'gatehouse'],
    ['gatehouse.yml', 'server: { port: 1 }', 'gatehouse'],
    ['llamagate.yaml', 'backends: {}', 'llamagate'],
    ['llamagate.yml', '', 'llamagate'],
    ['LlamaGate.json', '{}', 'llamagate'],
    ['llamagate', 'port: 1', 'gatehouse'],
    ['my.yaml', 'llama_server_path: x\nmodels: []', 'llamawrapper'],
    ['my.yaml', 'llama_server_path: x\nlisten_addr: ":1"\ncache: { ttl_sec: 1 }', 'llamawrapper'],
    ['my.yaml', 'llama_server_path: x\nport: 1', 'gatehouse'],
    ['my.yaml', 'llama_server_path: x\nbackends: {}', 'gatehouse'],
    ['my.yaml', 'server: { port: 1 }', 'modelgate'],
    ['my.yaml', 'Server: { Port: 1 }', 'modelgate'],
    ['my.yaml', 'rate_limit: { rpm: 1 }\nquota: {}\nadmin: {}', 'modelgate'],
    ['my.yaml', 'redis: { addr: x }', 'modelgate'],
    ['my.yaml', 'redis: { url: x }', 'gatehouse'],
    ['my.yaml', 'server: { port: 1 }\nbackends: {}', 'gatehouse'],
    ['my.yaml', 'server: { port: 1 }\nbackends: [{}]', 'modelgate'],
    ['my.yaml', 'timeout: 5m\nadmin: { api_key: x }', 'gatehouse'],
    ['my.yaml', 'server: 1', 'gatehouse'],
  ])('%s with %p: %s', (name, text, format) => {
    expect<string>(recognise(`/x/${name}`, yaml(text) ?? {})).toBe(format)
  })
})

describe('a configs/config.yaml that nobody named', () => {
  test.each<[string, boolean]>([
    ['server: { port: 1 }', true],
    ['server: { port: 1 }\nlog: { level: info }', true],
    ['admin: { api_key: x }', true],
    ['server: { port: 1, what: ever }\nrate_limit: { rpm: 1 }', true],
    ['server: { port: 1, what: ever }', false],
    ['server: { port: 1 }\ndatabase: { host: db }', false],
    ['server: { port: 1 }\njwt: { secret: x }', false],
    ['max_body_size: 1\npipeline: [auth]', false],
    ['app: { name: x }', false],
    ['timeout: 5m', false],
    ['{}', false],
  ])('%p counts: %p', (text, counts) => {
    expect(onlyModelgate('', yaml(text)) === 'modelgate').toBe(counts)
  })
})

describe('which file is read', () => {
  const all = {
    'gatehouse.yaml': 'port: 1',
    '~/.gatehouse/gatehouse.yaml': 'port: 2',
    'llamagate.yaml': 'port: 3',
    '~/.llamagate/llamagate.yaml': 'port: 4',
    'configs/config.yaml': 'server: { port: 5 }',
    'config.yaml': 'llama_server_path: x\nlisten_addr: ":6"',
  }
  const order = Object.keys(all)

  test.each(order.map((name, index): [string, number] => [name, index]))(
    '%s, when none of those before it is there',
    async (name, index) => {
      const files = Object.fromEntries(Object.entries(all).slice(index))
      const { config, file, shown } = await tryConfig({ files })
      expect(config.port).toBe(index + 1)
      expect(shown(file)).toBe(name.startsWith('~') ? name.replace('~', 'HOME') : `CWD/${name}`)
    },
  )

  test('a program named llamagate beside it is no config (A6, W30)', async () => {
    const files = { llamagate: '\u007fELF\0\0', '~/.llamagate/llamagate.yaml': 'port: "3333"' }
    const { config, file, shown } = await tryConfig({ files })
    expect(config.port).toBe(3333)
    expect(shown(file)).toBe('HOME/.llamagate/llamagate.yaml')
    expect(await complaints({ files, argv: { config: 'llamagate' } })).toEqual(['CWD/llamagate: must be text in UTF-8'])
  })

  test('broken YAML of LlamaGate stops the start and names the file (A7)', async () => {
    expect(await complaints({ files: { 'llamagate.yaml': 'mcp:\n  enabled: true\n servers: [' } })).toEqual([
      'CWD/llamagate.yaml: is not valid YAML near line 3: Unexpected token',
    ])
  })

  test.each<[string, Record<string, string>, string[]]>([
    ['of another program', { 'config.yaml': 'name: my site\nport: 4000' }, []],
    ['of another program in configs', { 'configs/config.yaml': 'server: { port: 3000 }\njwt: { secret: x }' }, []],
    ['that is a list', { 'config.yaml': '- 1' }, ['CWD/config.yaml: must be one YAML mapping of keys and values; it is passed over']],
    ['that is a folder', { 'config.yaml/': '' }, ['CWD/config.yaml: must be a regular file; it is passed over']],
    ['that is broken', { 'config.yaml': 'a: [1' }, ['CWD/config.yaml: is not valid YAML near line 1: Unexpected token; it is passed over']],
  ])('a config.yaml %s is passed over', async (_, files, warned) => {
    const { config, file, format, warnings, shown } = await tryConfig({ files })
    expect(config.port).toBe(11_435)
    expect([file, format]).toEqual([undefined, undefined])
    expect(warnings.map(shown)).toEqual(warned)
  })

  test('named, it must be right', async () => {
    expect(await complaints({ files: { 'config.yaml': 'a: [1' }, argv: { config: 'config.yaml' } })).toEqual([
      'CWD/config.yaml: is not valid YAML near line 1: Unexpected token',
    ])
    expect(await complaints({ files: { 'config.yaml': 'name: my site' }, argv: { config: 'config.yaml' } })).toEqual([
      'CWD/config.yaml: name: is not a setting',
    ])
  })

  test.each<[string, Machine, string]>([
    ['LlamaWrapper', { files: { 'my.yaml': example('llamawrapper/linux.yaml') }, argv: { config: 'my.yaml' } }, 'llamawrapper'],
    ['ModelGate', { files: { 'my.yaml': example('modelgate/shipped.yaml') }, argv: { config: 'my.yaml' } }, 'modelgate'],
    ['LlamaGate', { files: { 'x/llamagate.yml': example('llamagate/names.yaml') }, argv: { config: 'x/llamagate.yml' } }, 'llamagate'],
    ['ours', { files: { 'my.yaml': 'port: 1' }, argv: { config: 'my.yaml' } }, 'gatehouse'],
  ])('--config may name a file of %s', async (_, machine, format) => {
    expect<string | undefined>((await tryConfig(machine)).format).toBe(format)
  })
})

describe('places: whatever may change the result', () => {
  test('every place that is looked at, and .env', async () => {
    const { places, shown } = await tryConfig({})
    expect(places.map(shown)).toEqual([
      'CWD/gatehouse.yaml',
      'CWD/gatehouse.yml',
      'HOME/.gatehouse/gatehouse.yaml',
      'HOME/.gatehouse/gatehouse.yml',
      'CWD/llamagate.yaml',
      'CWD/llamagate.yml',
      'CWD/llamagate.json',
      'HOME/.llamagate/llamagate.yaml',
      'HOME/.llamagate/llamagate.yml',
      'HOME/.llamagate/llamagate.json',
      'CWD/configs/config.yaml',
      'CWD/config.yaml',
      'CWD/.env',
    ])
  })
  test('or the one that is named', async () => {
    const { places, shown } = await tryConfig({ files: { 'my.yaml': '' }, argv: { config: 'my.yaml' } })
    expect(places.map(shown)).toEqual(['CWD/my.yaml', 'CWD/.env'])
  })
})
