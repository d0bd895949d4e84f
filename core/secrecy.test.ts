import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { complaints, tryConfig } from './config/try-config.ts'
import { type GatehouseProcess, runGatehouse, startGatehouse } from './testing/gatehouse-process.ts'
import { type MirrorUpstream, mirrorModels, mirrorUpstream } from './testing/mirror-upstream.ts'
import { type RedisServer, redisMissing, startRedis } from './testing/redis.ts'

setDefaultTimeout(30_000) // each starts a process, perhaps on a busy machine

/**
 * What the config knows. None may appear in a log, on stderr, in the data folder, or in any answer. The marks hold
 * letters, digits and dashes alone, so that they are found in addresses and in JSON, too.
 */
const house = {
  apiKey: 'HouseKey-1f7a',
  adminKey: 'AdminKey-2b6c',
  backendKey: 'BackendKey-3d5e',
  backendHeader: 'BackendHeader-4c4f',
  basicHeader: 'BasicPassword-5e3a',
  urlPassword: 'UrlPassword-6f2b',
  urlPath: 'x9UrlPath7a1c8b2d6e3f',
  deadPassword: 'DeadPassword-8b0d',
  ollamaPassword: 'OllamaPassword-9c9e',
  redisPassword: 'RedisPassword-0d8f',
  metricsToken: 'MetricsToken-1e7a',
  mcpHeader: 'McpHeader-2f6b',
  mcpArgument: 'McpArgument-3a5c',
  mcpVariable: 'McpVariable-4b4d',
  mcpPassword: 'McpPassword-5c3e',
  mcpQuery: 'McpQuery-6d2f',
  option: 'PluginOption-7e1a',
  commandKey: 'CommandKey-8f0b',
} as const

/** What one client sends. None may appear in a log, on stderr, in the data folder, or in the answers of others. */
const client = {
  wrongBearer: 'WrongBearer-a1b2',
  wrongKey: 'WrongKey-b2c3',
  wrongBasic: 'WrongBasic-c3d4',
  query: 'QueryKey-d4e5',
  cookie: 'Cookie-e5f6',
  userinfo: 'Userinfo-f6a7',
  hostUser: 'HostUser-a7b8',
  prompt: 'Prompt-b8c9',
  jsonKey: 'JsonKey-c9d0',
  malformed: 'Malformed-d0e1',
  form: 'FormField-e1f2',
  formFile: 'FormFile-f2a3',
  longModel: 'LongModel-a3b4',
  requestId: 'RequestId-b4c5',
  user: 'LlamaGateUser-c5d6',
  agent: 'UserAgent-d6e7',
  referer: 'Referer-e7f8',
  origin: 'origin-f8a9',
  forwarded: 'Forwarded-a9b0',
  trace: 'Trace-b0c1',
  contentType: 'ContentType-c1d2',
  metadata: 'Metadata-d2e3',
  pathKey: 'sk-PathKey-e3f4a5b6c7d8e9f0',
  idKey: 'ghp_IdKey0f4a5b6c7d8e9f0a1',
  modelKey: 'glpat-ModelKey-a5b6c7d8e9f0',
} as const

/** A plugin that does everything wrong: it logs what it has, and throws it everywhere. */
const careless = `
  import { definePlugin } from 'gatehouse'
  export default definePlugin({
    name: 'careless',
    setup(options, gateway) {
      let told = false
      return {
        handle(ctx, next) {
          if (!told) gateway.log.info({ config: gateway.config, options }, 'the whole config: ' + JSON.stringify(gateway.config))
          told = true
          const all = JSON.stringify(ctx.payload) + '\\n    at ' + JSON.stringify([...ctx.request.headers]) + ' (a:1:1)\\n' + ctx.request.url
          const crash = () => Object.assign(new TypeError(all, { cause: new Error(all) }), { request: all, code: all })
          ctx.onSettled(() => { throw crash() })
          ctx.onSettled(async () => { throw crash() })
          ctx.observe({ chunk() { throw crash() }, end() { throw crash() } })
          ctx.log.warn(crash())
          ctx.log.warn({ err: crash() })
          ctx.log.warn({ error: crash() }, 'careless')
          switch (ctx.payload.model) {
            case 'crash': throw crash()
            case 'crash-with-text': throw all
            case 'crash-later':
              Promise.reject(crash())
              setTimeout(() => { throw crash() }, 1)
          }
          return next()
        },
      }
    },
  })`

let mirror: MirrorUpstream
let gatehouse: GatehouseProcess
/** What everybody else may read, gathered on the way. */
const answers: string[] = []

const yaml = (mirrorUrl: string) => {
  const secretly = (user: string, password: string) => mirrorUrl.replace('://', `://${user}:${password}@`)
  return `
api_key: \${HOUSE_KEY}
data_dir: data
pipeline: [auth, limiter, ./careless.ts, router]
rate_limit_rps: 100000
health_check_timeout: 2s
timeouts: { first_token: 5s }
backends:
  mirror:
    type: openai-compatible
    base_url: ${secretly('mirror', house.urlPassword)}/${house.urlPath}
    api_key: \${BACKEND_KEY}
    headers: { X-Gate: ${house.backendHeader} }
    models: [${mirrorModels.map(name => `'${name}'`).join(', ')}, crash, crash-with-text, crash-later]
  basic:
    type: vllm
    base_url: ${mirrorUrl}
    headers: { Authorization: 'Basic ${btoa(`me:${house.basicHeader}`)}' }
  ollama: { type: ollama, base_url: '${secretly('ollama', house.ollamaPassword)}' }
  dead: { type: openai-compatible, base_url: 'http://dead:${house.deadPassword}@127.0.0.1:1/v1x' }
default_backend: mirror
models:
  - { name: to-basic, targets: [{ backend: basic, model: status-400 }] }
  - { name: to-ollama, targets: [{ backend: ollama, model: status-500 }] }
  - { name: to-dead, targets: [{ backend: dead }, { backend: dead, model: other }] }
  - { name: managed, command: 'serve --api-key ${house.commandKey}' }
redis: { url: 'redis://:${house.redisPassword}@127.0.0.1:1' }
metrics: { token: ${house.metricsToken} }
mcp:
  enabled: false
  servers:
    - { name: local, command: npx, args: [--token, ${house.mcpArgument}], env: { GITHUB_TOKEN: ${house.mcpVariable} } }
    - { name: remote, url: 'https://me:${house.mcpPassword}@mcp.example/sse?key=${house.mcpQuery}', headers: { X-API-Key: ${house.mcpHeader} } }
careless: { deep: { client_secret: ${house.option} } }
`
}

beforeAll(async () => {
  mirror = await mirrorUpstream()
  gatehouse = await startGatehouse({
    files: {
      'gatehouse.yaml': yaml(mirror.url),
      'careless.ts': careless,
      '.env': `HOUSE_KEY=${house.apiKey}\n`,
    },
    env: { DEBUG: 'true', LOG_FILE: 'gatehouse.log', ADMIN_API_KEY: house.adminKey, BACKEND_KEY: house.backendKey },
  })
})
afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]()
  await mirror.stop()
})

const ask = async (path: string, init: RequestInit & { readonly key?: string | null } = {}) => {
  const { key = house.apiKey, headers, ...rest } = init
  const response = await fetch(gatehouse.url + path, {
    ...rest,
    headers: { ...(key !== null && { 'x-api-key': key }), ...headers },
  })
  const text = await response.text().catch(() => '')
  return { status: response.status, whole: `${JSON.stringify([...response.headers])}\n${text}` }
}
const chat = (body: object, init: Parameters<typeof ask>[1] = {}) =>
  ask('/v1/chat/completions', { method: 'POST', body: JSON.stringify(body), ...init })
const messages = [{ role: 'user', content: `keep this to yourself: "${client.prompt}"` }]

/** A request as no HTTP client would send it. */
const raw = (text: string) =>
  new Promise<string>((resolve, reject) => {
    const { port } = new URL(gatehouse.url)
    let answer = ''
    const socket = connect(Number(port), '127.0.0.1', () => socket.end(text))
    socket.setEncoding('latin1').on('data', part => {
      answer += part
    })
    socket.on('close', () => resolve(answer)).on('error', reject)
  })

/** The marks that a text holds: as they are, percent-encoded, or in base64, wherever they began in what was encoded. */
function found(marks: Readonly<Record<string, string>>, text: string): string[] {
  const written = text.replace(/\\n/g, '')
  const bare = written + written.replace(/%([2-7][0-9a-f])/gi, (_, code) => String.fromCharCode(Number.parseInt(code, 16)))
  return Object.entries(marks).flatMap(([name, mark]) => {
    const shifted = [0, 1, 2].map(pad => btoa('x'.repeat(pad) + mark).slice(pad === 0 ? 0 : 4, -4))
    return [mark, ...shifted].some(trace => bare.includes(trace)) ? [name] : []
  })
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map(name => join(folder, name))
    .filter(path => statSync(path).isFile())
}

describe('secrets that come in through', () => {
  test('headers of strangers', async () => {
    const stranger = { key: null }
    for (const path of ['/v1/models', '/health', '/', '/nope', '/admin/logs/reopen']) {
      answers.push((await ask(path, { headers: { authorization: `Bearer ${client.wrongBearer}` }, ...stranger })).whole)
      answers.push((await ask(path, { key: client.wrongKey })).whole)
      answers.push((await ask(path, { headers: { authorization: `Basic ${btoa(`me:${client.wrongBasic}`)}` }, ...stranger })).whole)
      answers.push((await ask(path, { headers: { cookie: `session=${client.cookie}` }, ...stranger })).whole)
    }
  })

  test('headers of a client that may enter', async () => {
    const headers = {
      cookie: client.cookie,
      'x-request-id': `not an id: ${client.requestId}`,
      'x-llamagate-user': client.user,
      'user-agent': client.agent,
      referer: `https://${client.referer}.example/?${client.referer}`,
      origin: `https://${client.origin}.example`,
      'x-forwarded-for': client.forwarded,
      traceparent: client.trace,
      'anthropic-version': client.trace,
      'openai-beta': client.trace,
    }
    answers.push((await ask('/health', { headers })).whole)
    for (const model of mirrorModels) await chat({ model, messages }, { headers })
    await chat({ model: 'status-500', messages }, { headers: { ...headers, 'content-type': `text/${client.contentType}` } })
  })

  test('paths and names, where keys land by accident', async () => {
    const encoded = house.apiKey.replace(/.$/, last => `%${last.charCodeAt(0).toString(16)}`)
    for (const path of [`/v1/models/${encoded}`, `/${encoded}/x`, `/v1/models/${client.pathKey}`, `/${client.pathKey}`]) {
      await ask(path)
      await ask(path, { key: null, headers: { 'x-request-id': client.idKey } })
    }
    for (const model of [client.modelKey, 'status-500', 'dead/x', house.apiKey]) {
      await chat({ model, messages }, { headers: { 'x-request-id': client.idKey } })
    }
  })

  test('queries, the target and the Host of a request', async () => {
    for (const path of ['/v1/models', '/nope', '/health', '/', '/v1/models/x', '/admin/logs/reopen', '//', '/%zz']) {
      for (const key of [house.apiKey, null]) {
        answers.push((await ask(`${path}?api_key=${client.query}&key=${encodeURIComponent(`a b ${client.query}`)}`, { key })).whole)
      }
    }
    await chat({ model: 'status-400', messages }, { key: house.apiKey })
    await ask(`/v1/chat/completions?api_key=${client.query}`, { method: 'POST', body: JSON.stringify({ model: 'status-500', messages }) })
    for (const target of ['/v1/models', '/nope', '/health']) {
      answers.push(
        await raw(`GET http://me:${client.userinfo}@localhost${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`),
      )
      answers.push(await raw(`GET ${target} HTTP/1.1\r\nHost: me:${client.hostUser}@localhost\r\nConnection: close\r\n\r\n`))
      answers.push(await raw(`GET ${target}#${client.userinfo} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`))
    }
  })

  test('bodies', async () => {
    const body = (text: string, type = 'application/json') => ({ method: 'POST', body: text, headers: { 'content-type': type } })
    const paths = ['/v1/chat/completions', '/v1/completions', '/v1/embeddings', '/v1/messages', '/v1/responses', '/v1/rerank', '/nope']
    for (const path of paths) {
      await ask(path, body(`{"model": "status-500", "messages": ["${client.malformed}`))
      await ask(path, body(`${client.malformed}`))
      await ask(path, body(JSON.stringify({ model: 'status-500', [client.jsonKey]: 1, messages: client.prompt, input: client.prompt })))
      await ask(path, body(JSON.stringify({ model: 7, messages, metadata: { [client.jsonKey]: client.metadata } })))
      await ask(path, body(JSON.stringify([client.prompt])))
      answers.push((await ask(path, { ...body(JSON.stringify({ model: 'status-500', messages })), key: null })).whole)
    }
    const form = new FormData()
    form.set('model', 'status-500')
    form.set('prompt', client.form)
    form.set('file', new Blob([client.formFile]), `${client.formFile}.wav`)
    for (const path of ['/v1/audio/transcriptions', '/v1/images/edits', '/v1/chat/completions'])
      await ask(path, { method: 'POST', body: form })
    await ask('/v1/audio/transcriptions', body(`--b\r\n${client.form}`, 'multipart/form-data; boundary=b'))
    await chat({ model: `${'a prompt in the wrong place '.repeat(20)}${client.longModel}`, messages })
  })
})

describe('what a backend repeats of its keys reaches no client', () => {
  test.each([...mirrorModels, 'to-basic', 'to-ollama', 'to-dead', 'managed'])('%s', async model => {
    for (const stream of [false, true]) {
      const { status, whole } = await chat({ model, stream, messages })
      expect(status).toBeGreaterThanOrEqual(200)
      expect(found(house, whole)).toEqual([])
      expect(whole).not.toContain(house.backendHeader.slice(0, 10)) // cut in two, where messages are
      answers.push(...(model === 'to-dead' ? [whole] : []))
    }
  })

  test.each(['/v1/embeddings', '/v1/completions', '/v1/messages', '/v1/responses', '/v1/rerank'])('%s', async path => {
    for (const model of ['status-400', 'status-500', 'first-event', 'mid-stream', 'error-in-200']) {
      for (const stream of [false, true]) {
        const { whole } = await ask(path, { method: 'POST', body: JSON.stringify({ model, stream, input: 'x', messages, prompt: 'x' }) })
        // other dialects pass an answer with status 200 as it is; see the README of the router
        if (!model.startsWith('status')) continue
        expect(found(house, whole)).toEqual([])
      }
    }
  })

  test('their health and their lists of models', async () => {
    for (const key of [null, house.apiKey, house.adminKey]) {
      for (const path of [
        '/health',
        '/health/ready',
        '/v1/models',
        '/v1/models/x',
        '/',
        '/v1/system/info',
        '/v1/system/config',
        '/v1/system/models',
        '/v1/system/health',
        '/v1/system/hardware',
      ]) {
        answers.push((await ask(path, { key })).whole)
      }
    }
  })
})

test('a plugin that throws what it has, at once and later, stops nothing', async () => {
  for (const model of ['crash', 'crash-with-text', 'crash-later']) {
    for (const stream of [false, true]) {
      const { whole } = await chat({ model, stream, messages })
      // what the backend makes of its prompt is for this client; what the plugin makes of it is for nobody
      if (model === 'crash-later') expect(found(house, whole)).toEqual([])
      else answers.push(whole)
    }
  }
  expect((await ask('/health/live')).status).toBe(200)
  await gatehouse.until(({ stderr }) => /unhandledRejection[\s\S]*uncaughtException/.test(stderr), 'both crashes on stderr')
})

describe('afterwards', () => {
  let log: string
  beforeAll(async () => {
    const { whole } = await ask('/health/live', { headers: { 'x-request-id': 'the-last-one' } })
    expect(whole).toContain('the-last-one')
    await gatehouse.until(({ stdout }) => stdout.includes('the-last-one'), 'the last line')
    log = join(gatehouse.folder, 'gatehouse.log')
    for (let i = 0; i < 400 && !readFileSync(log, 'utf8').includes('the-last-one'); i++) await Bun.sleep(10)
  })
  const all = { ...house, ...client }

  test('the test can fail: what was sent is found by its search', () => {
    const text = `?a=${encodeURIComponent(`x ${client.query}`)} HouseKey%2d1f7%61 ${btoa(`me:${house.basicHeader}`)} ${JSON.stringify(`"${client.prompt}"`)}`
    expect(found(all, text).sort()).toEqual(['apiKey', 'basicHeader', 'prompt', 'query'])
  })

  test('the log was written, and says who was refused', () => {
    for (const text of [gatehouse.output.stdout, readFileSync(log, 'utf8')]) {
      expect(text).toContain('"message":"Authentication failed"')
      expect(text).toContain('"message":"request failed"')
      expect(text).toContain('"message":"backend failed"')
      expect(text).toContain('the whole config')
      for (const line of text.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('message')
    }
  })

  test('nothing is on stdout', () => expect(found(all, gatehouse.output.stdout)).toEqual([]))
  test('nothing is on stderr', () => expect(found(all, gatehouse.output.stderr)).toEqual([]))
  test('nothing is in LOG_FILE', () => {
    expect(statSync(log).mode & 0o777).toBe(0o600)
    expect(found(all, readFileSync(log, 'utf8'))).toEqual([])
  })
  test('nothing is in the data folder', () => {
    const files = filesBelow(join(gatehouse.folder, 'data'))
    expect(files.flatMap(path => found(all, readFileSync(path, 'latin1')).map(name => `${name} in ${path}`))).toEqual([])
  })
  test('nothing is in the answers others may get', () => {
    expect(answers.length).toBeGreaterThan(60)
    for (const answer of answers) expect({ found: found(all, answer), answer }).toEqual({ found: [], answer })
  })
})

describe('keys that gatehouse makes', () => {
  const folderOf = (house: GatehouseProcess) => join(house.folder, 'data')
  const made = (house: GatehouseProcess) => ({
    apiKey: readFileSync(join(folderOf(house), 'initial-api-key'), 'utf8').trim(),
    adminKey: readFileSync(join(folderOf(house), 'initial-admin-key'), 'utf8').trim(),
    token: (JSON.parse(readFileSync(join(folderOf(house), 'run', 'command-line.json'), 'utf8')) as { token: string }).token,
  })
  const holding = (house: GatehouseProcess, marks: Readonly<Record<string, string>>) =>
    filesBelow(folderOf(house))
      .filter(path => found(marks, readFileSync(path, 'latin1')).length > 0)
      .map(path => path.slice(folderOf(house).length + 1))
      .sort()

  test('are in their own files alone, then in none', async () => {
    await using house = await startGatehouse({
      files: {
        'gatehouse.yaml': 'data_dir: data\nauth: required\npipeline: [auth, ./careless.ts, router]\nbackends: { up: { type: echo } }\n',
        'careless.ts': careless,
      },
      env: { DEBUG: 'true', LOG_FILE: 'gatehouse.log' },
    })
    await house.until(({ stdout }) => stdout.includes('initial-admin-key'), 'the path of the admin key')
    const keys = made(house)
    expect(holding(house, keys)).toEqual(['initial-admin-key', 'initial-api-key', 'run/command-line.json'])

    const said: string[] = []
    const body = JSON.stringify({ model: 'crash', messages: [{ role: 'user', content: 'x' }] })
    const tell = async (path: string, headers: Record<string, string>, method = 'GET') => {
      const response = await fetch(house.url + path, { method, headers, ...(method === 'POST' && { body }) })
      said.push(JSON.stringify([...response.headers]), await response.text())
    }
    // by each key, and each where it does not belong: keys land in paths, in ids and in names of models by accident
    for (const key of Object.values(keys)) {
      for (const headers of [{ 'x-api-key': key }, { authorization: `Bearer ${key}` }, { 'x-api-key': key, via: 'a proxy' }]) {
        for (const path of ['/health', '/v1/models', '/admin/nothing', `/v1/models?key=${key}`]) await tell(path, headers)
        for (const path of ['/v1/chat/completions', '/admin/logs/reopen']) await tell(path, headers, 'POST')
      }
      // the answer repeats these to whoever sent them
      await fetch(`${house.url}/${key}/${encodeURIComponent(key)}`, { headers: { 'x-api-key': key, 'x-request-id': key } })
    }
    const { code, stdout } = await runGatehouse({ args: ['admin', 'reset', '--json'], env: { DATA_DIR: folderOf(house) } })
    expect(code).toBe(0)
    const all = { ...keys, nextKey: (JSON.parse(stdout) as { key: string }).key }
    expect(holding(house, all)).toEqual(['run/command-line.json'])

    house.signal('SIGTERM')
    expect(await house.exited).toBe(0)
    expect(holding(house, all)).toEqual([])
    expect(house.output.stdout).toContain('the admin key was reset')
    expect(house.output.stdout).toContain('the whole config')
    expect(found(all, house.output.stdout)).toEqual([])
    expect(found(all, house.output.stderr)).toEqual([])
    expect(found(all, readFileSync(join(house.folder, 'gatehouse.log'), 'utf8'))).toEqual([])
    expect(found(all, said.join('\n'))).toEqual([])
    // the hashes are for nobody's log, either
    const digests = Object.fromEntries(
      Object.entries(all).map(([name, key]) => [name, new Bun.CryptoHasher('sha256').update(key).digest('hex')]),
    )
    expect(found(digests, house.output.stdout + house.output.stderr)).toEqual([])
  })
})

describe('secrets of managed keys', () => {
  const adminKey = 'sk-admin-not-looked-for'
  const yaml = (redis?: RedisServer) => `
data_dir: data
pipeline: [auth, limiter, ./careless.ts, quota, router]
backends: { up: { type: echo } }
${redis ? `redis: { url: '${redis.url}' }` : ''}
`
  const start = (redis?: RedisServer) =>
    startGatehouse({
      files: { 'gatehouse.yaml': yaml(redis), 'careless.ts': careless },
      env: { DEBUG: 'true', LOG_FILE: 'gatehouse.log', ADMIN_API_KEY: adminKey },
    })
  const hash = (secret: string) => new Bun.CryptoHasher('sha256').update(secret).digest('hex')

  /** Makes keys, rotates them, and uses old and new secrets where they belong and where they do not. */
  async function useKeys(houses: readonly [GatehouseProcess, ...GatehouseProcess[]]) {
    const said: string[] = []
    const secrets: string[] = []
    const tell = async ({ url }: GatehouseProcess, method: string, path: string, key: string, body?: object) => {
      const init = { method, headers: { 'x-api-key': key }, ...(body && { body: JSON.stringify(body) }) }
      const response = await fetch(url + path, init)
      const text = await response.text()
      return { headers: JSON.stringify([...response.headers]), text, status: response.status }
    }
    const operator = async (method: string, path: string, body?: object) => {
      const { headers, text, status } = await tell(houses[0], method, path, adminKey, body)
      if (status >= 400) throw new Error(`${method} ${path}: ${status} ${text}`)
      const answer = text === '' ? {} : JSON.parse(text)
      if (typeof answer.key === 'string') {
        secrets.push(answer.key)
        delete answer.key // the answer that shows it, this once
      }
      said.push(headers, JSON.stringify(answer))
      return answer
    }
    for (const name of ['first', 'second', 'third']) {
      const { id } = await operator('POST', '/admin/keys', { name, quota: 1_000_000, tokens_per_minute: 100_000, max_concurrency: 4 })
      await operator('POST', `/admin/keys/${id}/rotate`, name === 'third' ? {} : { grace: '1h' })
      await operator('PUT', `/admin/keys/${id}`, { name: `${name} again`, rate_limit: 1000 })
    }
    const body = { model: 'echo', messages: [{ role: 'user', content: 'x' }] }
    for (const house of houses) {
      for (const secret of secrets) {
        const ask = async (method: string, path: string, more?: object) => {
          const { headers, text } = await tell(house, method, path, secret, more)
          said.push(headers, text)
        }
        for (const path of ['/v1/models', '/v1/usage', '/health', '/admin/keys', `/v1/models?key=${secret}`]) await ask('GET', path)
        for (const stream of [true, false]) await ask('POST', '/v1/chat/completions', { ...body, stream })
        await ask('POST', '/v1/chat/completions', { ...body, model: 'crash' })
        await ask('POST', '/v1/chat/completions', { ...body, max_tokens: 9_999_999 })
        // the answers repeat these to whoever sent them
        await tell(house, 'POST', '/v1/chat/completions', secret, { ...body, model: secret, user: secret })
        await tell(house, 'GET', `/${secret}/${encodeURIComponent(secret)}`, secret)
        await tell(house, 'GET', `/admin/keys/${secret}`, adminKey)
        await tell(house, 'GET', `/admin/keys?search=${secret}`, adminKey)
      }
    }
    for (const path of ['/admin/keys', '/admin/keys/1', '/admin/keys/1/usage', '/admin/usage?by=key', '/admin/audit', '/admin/models'])
      await operator('GET', path)
    await operator('DELETE', '/admin/keys/3')
    await operator('GET', '/admin/audit')
    expect(new Set(secrets).size).toBe(6)
    return { said: said.join('\n'), secrets }
  }
  const marksOf = (secrets: readonly string[]) => Object.fromEntries(secrets.map((secret, at) => [`secret ${at}`, secret]))
  const hashesOf = (secrets: readonly string[]) => Object.fromEntries(secrets.map((secret, at) => [`hash ${at}`, hash(secret)]))
  const filesWith = (house: GatehouseProcess, marks: Readonly<Record<string, string>>) =>
    filesBelow(house.folder).filter(path => found(marks, readFileSync(path, 'latin1')).length > 0)

  test('are found nowhere after they were shown, while it runs, after kill -9, and after the end', async () => {
    await using house = await start()
    const { said, secrets } = await useKeys([house])
    const marks = marksOf(secrets)
    expect(statSync(join(house.folder, 'data', 'gatehouse.db-wal')).size).toBeGreaterThan(0)
    expect(filesWith(house, marks)).toEqual([])
    const { code } = await runGatehouse({
      args: ['backup', join(house.folder, 'copy.db')],
      env: { DATA_DIR: join(house.folder, 'data') },
    })
    expect(code).toBe(0)
    house.signal('SIGKILL')
    await house.exited
    expect(filesBelow(house.folder).map(path => path.slice(house.folder.length + 1))).toContain('copy.db')
    expect(filesWith(house, marks)).toEqual([])
    expect(readFileSync(join(house.folder, 'gatehouse.log'), 'utf8')).toContain('careless')
    expect(found({ ...marks, ...hashesOf(secrets) }, house.output.stdout + house.output.stderr)).toEqual([])
    expect(found({ ...marks, ...hashesOf(secrets) }, readFileSync(join(house.folder, 'gatehouse.log'), 'utf8'))).toEqual([])
    expect(found({ ...marks, ...hashesOf(secrets) }, said)).toEqual([])
  })

  test.skipIf(redisMissing)('nor in Redis, nor in what is sent to it', async () => {
    await using redis = await startRedis()
    const watch = await watchCommands(redis)
    await using one = await start(redis)
    await using other = await start(redis)
    const { said, secrets } = await useKeys([one, other])
    const marks = marksOf(secrets)
    for (const house of [one, other]) {
      house.signal('SIGTERM')
      expect(await house.exited).toBe(0)
      expect(filesWith(house, marks)).toEqual([])
      expect(found({ ...marks, ...hashesOf(secrets) }, house.output.stdout + house.output.stderr)).toEqual([])
    }
    expect(found({ ...marks, ...hashesOf(secrets) }, said)).toEqual([])
    const sent = watch.stop()
    expect(sent).toContain('gatehouse:records') // it was listened to, and keys went over the wire
    expect(sent).toContain(hash(secrets[0] as string))
    expect(found(marks, sent)).toEqual([])
    // as Redis keeps it on a disk
    await redis.command('CONFIG', 'SET', 'rdbcompression', 'no')
    await redis.command('SAVE')
    const dump = readFileSync(join(redis.folder, 'dump.rdb'), 'latin1')
    expect(dump).toContain('gatehouse:records')
    expect(found(marks, dump)).toEqual([])
  })
})

/** Every command that Redis is sent from now on, scripts and announcements included. */
async function watchCommands({ port }: RedisServer) {
  let sent = ''
  const socket = connect(port, '127.0.0.1')
  socket.setEncoding('latin1')
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject)
    socket.on('data', part => {
      sent += part
      resolve()
    })
    socket.write('MONITOR\r\n')
  })
  return {
    stop() {
      socket.destroy()
      return sent
    },
  }
}

describe('a config that is wrong is refused without its secrets', () => {
  const secret = 'ConfigSecret-1a2b'

  test.each<[string, string, Record<string, string>?]>([
    ['a key that is a list', `api_key: [${secret}]`],
    ['a key below a key', `api_key: { value: ${secret} }`],
    ['a broken line of YAML', `api_key: "${secret}\nport: 1`],
    ['two keys on a line', `api_key: ${secret}: ${secret}`],
    ['an unknown setting', `apikey: ${secret}`],
    ['an address without a scheme', `backends: { up: { type: openai-compatible, base_url: 'me:${secret}@host' } }`],
    ['an address with another scheme', `backends: { up: { type: openai-compatible, base_url: 'ftp://me:${secret}@host' } }`],
    ['an address with a query', `backends: { up: { type: openai-compatible, base_url: 'http://host?key=${secret}' } }`],
    ['a header that is none', `backends: { up: { type: vllm, base_url: 'http://host', headers: { x: "${secret}\\nb" } } }`],
    ['a header that is a list', `backends: { up: { type: vllm, base_url: 'http://host', headers: { x: [${secret}] } } }`],
    ['a token of the metrics that is a list', `metrics: { token: [${secret}] }`],
    ['an address of Redis that is a list', `redis: { url: [${secret}] }`],
    ['a Redis that is a text', `redis: 'redis://:${secret}@host'`],
    ['an MCP server without a scheme', `mcp: { servers: [{ name: a, url: 'me:${secret}@host' }] }`],
    ['an argument that is a list', `mcp: { servers: [{ name: a, command: x, args: [[${secret}]] }] }`],
    ['a variable that is a mapping', `mcp: { servers: [{ name: a, command: x, env: { A: { b: ${secret} } } }] }`],
    ['an address in the environment', '', { OLLAMA_HOST: `ftp://me:${secret}@host` }],
  ])('%s', async (_, file, env = {}) => {
    const lines = await complaints({ files: { 'gatehouse.yaml': file }, env })
    expect(lines).not.toEqual([])
    expect(lines.join('\n')).not.toContain(secret)
  })

  test('a variable nobody knows is told of without its value', async () => {
    const { warnings } = await tryConfig({ env: { GATEHOUSE_NOPE: secret, DEBUG: 'false' }, files: { '.env': `not a line ${secret}` } })
    expect(warnings).toHaveLength(2)
    expect(warnings.join('\n')).not.toContain(secret)
  })

  test.each([
    ['that its schema refuses', `options: v.strictObject({ api_key: v.number() }), setup: () => ({})`],
    ['that it throws over', `setup({ api_key }) { throw new Error('no such key: ' + api_key) }`],
  ])('an option of a plugin %s', async (_, members) => {
    const plugin = `import { definePlugin, v } from 'gatehouse'\nexport default definePlugin({ name: 'picky', ${members} })`
    const { code, stdout, stderr } = await runGatehouse({
      args: ['serve', '--port', '0'],
      files: { 'gatehouse.yaml': `pipeline: [./picky.ts]\npicky: { api_key: ${secret} }`, 'picky.ts': plugin },
    })
    expect(stderr).toContain('picky')
    expect(stdout + stderr).not.toContain(secret)
    expect(code).toBe(1)
  })
})
