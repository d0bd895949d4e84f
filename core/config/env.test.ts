import { describe, expect, test } from 'bun:test'
import { plainNames } from './env.ts'
import { listNames, resolveName } from './env-names.ts'
import { fileSchema } from './schema.ts'
import { formatPath } from './tree.ts'
import { tryConfig } from './try-config.ts'

describe('the path behind GATEHOUSE_…', () => {
  const tree = { backends: { Home: {}, 'gpu-box': { headers: { 'X-Team': 'a' } } }, cache: { deep: { er: 1 } } }
  test.each<[string, string | undefined]>([
    ['PORT', 'port'],
    ['API_KEY', 'api_key'],
    ['ADMIN_API_KEY', 'admin.api_key'],
    ['DATA_DIR', 'data_dir'],
    ['TIMEOUT', 'timeout'],
    ['TIMEOUTS_FIRST_TOKEN', 'timeouts.first_token'],
    ['MODELS', 'models'],
    ['PIPELINE', 'pipeline'],
    ['BACKENDS_HOME_BASE_URL', 'backends.Home.base_url'],
    ['BACKENDS_GPU_BOX_API_KEY', 'backends.gpu-box.api_key'],
    ['BACKENDS_GPU_BOX_HEADERS_X_TEAM', 'backends.gpu-box.headers.X-Team'],
    ['BACKENDS_GPU_BOX_HEADERS_X_NEW', 'backends.gpu-box.headers.x_new'],
    ['BACKENDS_NEW_TYPE', 'backends.new.type'],
    ['BACKENDS_MY_NEW_BASE_URL', 'backends.my_new.base_url'],
    ['BACKENDS_NEW_TIMEOUTS_IDLE', 'backends.new.timeouts.idle'],
    ['BACKENDS_NEW_DELAY', 'backends.new.delay'],
    ['CACHE_TTL', 'cache.ttl'],
    ['CACHE_DEEP_ER', 'cache.deep.er'],
    ['PLUGINS_CONFIGS_MINE_COLOR', 'plugins.configs.mine.color'],
    ['PRT', undefined],
    ['TIMEOUTS', undefined],
    ['BACKENDS', undefined],
    ['BACKENDS_HOME', undefined],
    ['BACKENDS_NEW', undefined],
    ['BACKENDS_NEW_BASEURL', undefined],
    ['MODELS_0_NAME', undefined],
    ['PORT_X', undefined],
    ['OPTIONS_A', undefined],
    ['', undefined],
  ])('%s', (name, path) => {
    const found = resolveName(fileSchema, tree, name, 'text')
    expect(found && formatPath(found)).toBe(path as string)
  })

  test.each<[string, string]>([
    ['TIMEOUTS', 'timeouts'],
    ['BACKENDS', 'backends'],
    ['BACKENDS_HOME', 'backends.Home'],
    ['BACKENDS_NEW', 'backends.new'],
    ['CACHE', 'cache'],
  ])('%s with JSON', (name, path) => {
    expect(formatPath(resolveName(fileSchema, tree, name, '{"a":1}') ?? [])).toBe(path)
  })

  test('every name that is suggested is understood', () => {
    for (const name of listNames(fileSchema, {})) {
      if (!/^(BACKENDS|PLUGINS_CONFIGS|LIMITER|CACHE|QUOTA|MCP|ROUTER|REDIS|LOG|INTROSPECTION|METRICS)$/.test(name)) {
        expect([name, resolveName(fileSchema, {}, name, 'x') !== undefined]).toEqual([name, true])
      }
    }
  })
})

test('plain names mean settings that exist', () => {
  for (const path of Object.values(plainNames)) {
    expect(resolveName(fileSchema, {}, path.join('_').toUpperCase(), 'x')).toEqual([...path])
  }
})

describe('GATEHOUSE_ values', () => {
  test('build a backend from nothing', async () => {
    const { config, zeroConfig } = await tryConfig({
      env: { GATEHOUSE_BACKENDS_HOME_TYPE: 'ollama', GATEHOUSE_BACKENDS_HOME_BASE_URL: 'http://h:1', GATEHOUSE_DEFAULT_BACKEND: 'home' },
    })
    expect(config.backends).toMatchObject({ home: { type: 'ollama', base_url: 'http://h:1' } })
    expect(zeroConfig).toBe(false)
  })
  test('add to a whole mapping given at once', async () => {
    const { config } = await tryConfig({
      env: { GATEHOUSE_BACKENDS_A_API_KEY: '007', GATEHOUSE_BACKENDS: '{"a": {"type": "openai"}, "b": {"type": "echo"}}' },
      files: { 'gatehouse.yaml': 'backends: { c: { type: echo } }' },
    })
    expect(Object.keys(config.backends)).toEqual(['a', 'b'])
    expect(config.backends.a).toMatchObject({ api_key: '007' })
  })
  test('take models as JSON', async () => {
    const { config } = await tryConfig({
      env: { GATEHOUSE_MODELS: '[{"name": "m", "targets": [{"backend": "e"}]}]', GATEHOUSE_BACKENDS_E: '{"type": "echo"}' },
    })
    expect(config.models).toMatchObject([{ name: 'm', targets: [{ backend: 'e', weight: 1 }] }])
  })
  test('for a plugin are read as YAML would, unless that loses characters', async () => {
    const { config } = await tryConfig({
      env: {
        GATEHOUSE_CACHE_A: '10',
        GATEHOUSE_CACHE_B: '007',
        GATEHOUSE_CACHE_C: 'true',
        GATEHOUSE_CACHE_D: '[1, a]',
        GATEHOUSE_CACHE_E: '1h',
        GATEHOUSE_CACHE_F: 'a: b: c',
        GATEHOUSE_CACHE_G: '{"h": 1}',
      },
    })
    expect(config.cache).toEqual({ a: 10, b: '007', c: true, d: [1, 'a'], e: '1h', f: 'a: b: c', g: { h: 1 } })
  })
  test.each<[string, string]>([
    ['GATEHOUSE_PRT', '; did you mean GATEHOUSE_PORT?'],
    ['GATEHOUSE_BACKENDS_HOME_BASEURL', '; did you mean GATEHOUSE_BACKENDS_HOME_BASE_URL?'],
    ['GATEHOUSE_SOMETHING_ELSE_ENTIRELY', ''],
  ])('%s only warns', async (name, hint) => {
    const { warnings } = await tryConfig({ env: { [name]: 'x' }, files: { 'gatehouse.yaml': 'backends: { home: { type: openai } }' } })
    expect(warnings).toEqual([`environment ${name}: ignored, because there is no such setting${hint}`])
  })
  test('that Kubernetes sets for a service named gatehouse are passed over', async () => {
    const { config, warnings } = await tryConfig({
      env: {
        GATEHOUSE_PORT: 'tcp://10.0.0.1:11435',
        GATEHOUSE_PORT_11435_TCP_ADDR: '10.0.0.1',
        GATEHOUSE_SERVICE_HOST: '10.0.0.1',
        GATEHOUSE_HEARTBEAT: '5s',
      },
    })
    expect(config).toMatchObject({ port: 11_435, heartbeat: 5000 })
    expect(warnings).toEqual(['environment GATEHOUSE_PORT: ignored, because Kubernetes sets it for a service named gatehouse'])
  })
  test('of a broken line in .env: a warning with its number', async () => {
    const { warnings, shown } = await tryConfig({ files: { '.env': 'A=1\nnonsense' } })
    expect(warnings.map(shown)).toEqual(['CWD/.env: line 2 is ignored, because it is not NAME=VALUE'])
  })
})
