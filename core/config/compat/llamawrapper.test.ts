import { describe, expect, test } from 'bun:test'
import { complaints, tryConfig } from '../try-config.ts'
import { example } from './testing.ts'

const load = (text: string) => tryConfig({ files: { 'config.yaml': `llama_server_path: /bin/llama-server\n${text}` } })
const open =
  'CWD/config.yaml: LlamaWrapper could be reached from other machines; gatehouse only from this one, unless you set listen_addr: "0.0.0.0:PORT" or HOST=0.0.0.0'

describe('listen_addr', () => {
  test.each<[string, string, number, boolean]>([
    ['":8000"', '127.0.0.1', 8000, true],
    ['"0.0.0.0:8000"', '0.0.0.0', 8000, false],
    ['"127.0.0.1:9000"', '127.0.0.1', 9000, false],
    ['"[::]:8000"', '::', 8000, false],
    ['"[::1]:8000"', '::1', 8000, false],
    ['"localhost:8000"', 'localhost', 8000, false],
    ['""', '127.0.0.1', 8000, true],
  ])('%s', async (text, host, port, warned) => {
    const { config, warnings, shown } = await load(`listen_addr: ${text}`)
    expect(config).toMatchObject({ host, port })
    expect(warnings.map(shown)).toEqual(warned ? [open] : [])
  })
  test.each(['":0"', '":65536"', '"8000"', '8000', '"my-box:8000"', '"::1:8000"', '":http"', '[1]'])('%s is a mistake', async text => {
    const lines = await complaints({ files: { 'config.yaml': `llama_server_path: x\nlisten_addr: ${text}` } })
    expect(lines).toHaveLength(1)
    expect(lines[0]).toStartWith('CWD/config.yaml: listen_addr: must be ":PORT" or "ADDRESS:PORT"')
  })
})

describe('the file', () => {
  test('models keep their keys and get their defaults', async () => {
    const { config, zeroConfig } = await load('models: [{ name: 7, model_path: m.gguf, threads: 0, extra_args: [-ngl, 3] }]')
    expect(config.models).toMatchObject([
      { name: '7', gpu_layers: 0, context_size: 4096, threads: 4, batch_size: 512, extra_args: ['-ngl', '3'], targets: [] },
    ])
    expect(zeroConfig).toBe(false)
  })

  test('brings its own defaults, and no body limit', async () => {
    const { config, sources } = await load('')
    expect(config).toMatchObject({
      port: 8000,
      port_range_start: 8081,
      max_loaded_models: 2,
      health_check_sec: 30,
      max_body_size: 33_554_432,
    })
    expect(sources.get('port')).toBe('default of LlamaWrapper')
  })

  test('relative paths are relative to the working directory; a bare program is looked up in PATH', async () => {
    const { config, shown } = await tryConfig({
      files: { 'x/my.yaml': example('llamawrapper/everything.yaml') },
      argv: { config: 'x/my.yaml' },
    })
    expect(shown(config.llama_server_path)).toBe('CWD/bin/llama-server')
    expect(shown(config.models[0]?.model_path)).toBe('HOME/models/small.gguf')
    const bare = await tryConfig({ files: { 'config.yaml': 'llama_server_path: llama-server' } })
    expect(bare.config.llama_server_path).toBe('llama-server')
  })

  test('keys of a later version close it', async () => {
    const { config, warnings, shown } = await load('listen_addr: "localhost:1"\nauth: { enabled: true, keys: [a, b], admin_keys: [c] }')
    expect(config).toMatchObject({ api_key: 'a', admin: { api_key: 'c' } })
    expect(warnings.map(shown)).toEqual(['CWD/config.yaml: auth.keys: only the first key is taken over'])
    expect((await load('auth: { enabled: false, keys: [a] }')).config.api_key).toBeUndefined()
  })

  const local = 'listen_addr: "localhost:1"\n'
  const first = 'auth.keys: only the first key is taken over'
  const missing = 'auth: enabled is missing; the keys count all the same'
  const none = 'auth: asks for a key and names none, so gatehouse makes one, unless API_KEY sets it (auth: required)'
  test.each<[string, string, string | undefined, string[]]>([
    ['{ enabled: true, keys: SECRET }', 'auto', 'SECRET', []],
    ['{ enabled: true, keys: 123 }', 'auto', '123', []],
    ['{ enabled: true, keys: [] }', 'required', undefined, [none]],
    ['{ enabled: true, keys: [""] }', 'required', undefined, [none]],
    ['{ enabled: true, keys: ["", b] }', 'auto', 'b', []],
    ['{ enabled: true }', 'required', undefined, [none]],
    ['{ enabled: true, admin_keys: [c] }', 'required', undefined, [none]],
    ['{ enabled: "true", keys: [a] }', 'auto', 'a', []],
    ['{ enabled: YES, keys: [a] }', 'auto', 'a', []],
    ['{ enabled: 1, keys: [a] }', 'auto', 'a', []],
    ['{ keys: [a, b] }', 'auto', 'a', [first, missing]],
    ['{ enabled: , keys: a }', 'auto', 'a', [missing]],
    ['true', 'required', undefined, [none]],
    ['{ enabled: "false", keys: [a] }', 'auto', undefined, []],
    ['false', 'auto', undefined, []],
    ['{}', 'auto', undefined, []],
    [
      '{ enabled: no, key: a }',
      'auto',
      undefined,
      ['auth.key: is ignored, because gatehouse knows no such setting of LlamaWrapper; did you mean keys?'],
    ],
  ])('auth: %s', async (text, auth, key, warned) => {
    const { config, warnings, shown } = await load(`${local}auth: ${text}`)
    expect([config.auth, config.api_key]).toEqual([auth, key])
    expect(warnings.map(shown)).toEqual(warned.map(line => `CWD/config.yaml: ${line}`))
  })
  test.each<[string, string]>([
    ['{ enabled: maybe, keys: [a] }', 'auth.enabled: must be true or false'],
    ['required', 'auth: must be a mapping such as { enabled: true, keys: [a] }'],
    ['{ enabled: true, keys: { a: b } }', 'auth.keys: must be a list such as [a, b]'],
    ['{ enabled: true, keys: [{ a: b }] }', 'auth.keys[0]: must be text in quotes'],
    ['{ enabled: true, keys: ["a\\nb"] }', 'auth.keys[0]: must be text that may stand in a header: printable ASCII'],
    ['{ enabled: true, keys: "a\\nb" }', 'auth.keys: must be text that may stand in a header: printable ASCII'],
  ])('auth: %s is a mistake', async (text, problem) => {
    expect(await complaints({ files: { 'config.yaml': `llama_server_path: x\n${local}auth: ${text}` } })).toEqual([
      `CWD/config.yaml: ${problem}`,
    ])
  })

  test('what nobody knows only warns', async () => {
    const { warnings, shown } = await load('listen_addr: "localhost:1"\nmax_model: 1\nmodels: [{ name: a, model_path: x, gpu_layer: 1 }]')
    const ignored = 'is ignored, because gatehouse knows no such setting of LlamaWrapper'
    expect(warnings.map(shown).slice(0, 2)).toEqual([
      `CWD/config.yaml: max_model: ${ignored}`,
      `CWD/config.yaml: models[0].gpu_layer: ${ignored}; did you mean gpu_layers?`,
    ])
  })

  test.each<[string, string]>([
    ['models: [{ model_path: x }]', 'models[0].name: is missing; write the name clients use'],
    ['models: [{ name: a }]', 'models[0].model_path: is missing; write the path of the .gguf file'],
    ['models: [{ name: a, model_path: x, context_size: big }]', 'models[0].context_size: must be a whole number from 1, not "big"'],
    ['models: {}', 'models: must be a list such as [a, b], not a mapping'],
    ['max_loaded_models: 0', 'max_loaded_models: must be a whole number from 1, not 0'],
  ])('%p is answered by its own name', async (text, problem) => {
    expect(await complaints({ files: { 'config.yaml': `llama_server_path: x\n${text}` } })).toEqual([`CWD/config.yaml: ${problem}`])
  })
})
