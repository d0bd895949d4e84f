import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { fakeOllama } from '../../core/testing/fake-ollama.ts'
import type { FakeServer } from '../../core/testing/fake-server.ts'
import { fakeVllm } from '../../core/testing/fake-vllm.ts'
import { type AdminHouse, openAdminHouse } from './testing/house.ts'

let vllm: FakeServer
let ollama: FakeServer
beforeAll(async () => {
  vllm = await fakeVllm()
  ollama = await fakeOllama()
})
afterAll(async () => {
  await vllm.stop()
  await ollama.stop()
})

const two = () => ({ backends: { home: { type: 'ollama', base_url: ollama.url }, box: { type: 'vllm', base_url: vllm.url } } })
const names = async (house: AdminHouse) => (await house.ask('GET', '/v1/models')).json.data.map(({ id }: { id: string }) => id)
const notThere = { status: 404, json: { error: { code: 'model_not_found' } } }

describe('a model', () => {
  test('with an address is served from there at once', async () => {
    await using house = await openAdminHouse()
    const { status, json, headers } = await house.ask('POST', '/admin/models', {
      name: 'mine',
      backend: 'vllm',
      base_url: `${vllm.url}/v1/`,
      upstream_model: 'echo',
    })
    expect(status).toBe(201)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(json).toEqual({
      id: 1,
      name: 'mine',
      backend: 'vllm',
      base_url: vllm.url,
      upstream_model: 'echo',
      enabled: true,
      source: 'admin',
      version: 1,
      shadowed: false,
    })
    expect((await house.ask('GET', '/admin/models/1')).json).toEqual(json)
    const answer = await house.chat('mine')
    expect(answer).toMatchObject({ status: 200, json: { model: 'mine' } })
    expect(await names(house)).toEqual(['mine', 'echo'])
    expect(house.serving.gateway.backends.get('model:1')).toMatchObject({ type: 'vllm' })
    // its server's other models are not offered
    expect((await house.ask('GET', '/health')).json.backends).toEqual({
      up: { type: 'echo', status: 'ok' },
      'model:1': { type: 'vllm', status: 'ok' },
    })
  })

  test('of a configured backend goes there', async () => {
    await using house = await openAdminHouse({ yaml: two() })
    expect((await house.ask('POST', '/admin/models', { name: 'fast', backend: 'home', upstream_model: 'echo' })).json).toMatchObject({
      backend: 'home',
      base_url: null,
    })
    expect((await house.chat('fast')).status).toBe(200)
    expect(ollama.requests.at(-1)).toMatchObject({ path: '/api/chat', json: { model: 'echo' } })
  })

  test('is disabled, enabled, moved, renamed and deleted, and each counts for the next request', async () => {
    await using house = await openAdminHouse({ yaml: two() })
    const { id } = (await house.ask('POST', '/admin/models', { name: 'm', backend: 'box', upstream_model: 'echo' })).json
    const put = async (change: object) => (await house.ask('PUT', `/admin/models/${id}`, change)).json
    expect((await house.chat('m')).status).toBe(200)

    expect(await put({ enabled: false })).toMatchObject({ enabled: false, version: 2 })
    expect(await house.chat('m')).toMatchObject(notThere)
    expect(await names(house)).not.toContain('m')
    await put({ enabled: true })
    expect((await house.chat('m')).status).toBe(200)

    expect(await put({ backend: 'ollama', base_url: ollama.url })).toMatchObject({ backend: 'ollama', base_url: ollama.url })
    ollama.clear()
    expect((await house.chat('m')).status).toBe(200)
    expect(ollama.requests.some(({ path }) => path === '/api/chat')).toBe(true)
    const first = house.serving.gateway.backends.get(`model:${id}`)
    expect(first).toBeDefined()
    expect(await put({ base_url: 'http://127.0.0.1:9', version: 4 })).toMatchObject({ version: 5 })
    expect(house.serving.gateway.backends.get(`model:${id}`)).not.toBe(first)
    expect((await house.chat('m')).status).toBe(502)

    expect(await put({ backend: 'box', name: 'other' })).toMatchObject({ name: 'other', backend: 'box', base_url: null })
    expect(house.serving.gateway.backends.has(`model:${id}`)).toBe(false)
    expect(await house.chat('m')).toMatchObject(notThere)
    expect((await house.chat('other')).status).toBe(200)

    expect((await house.ask('DELETE', `/admin/models/${id}`)).status).toBe(204)
    expect(await house.chat('other')).toMatchObject(notThere)
    expect(await house.ask('DELETE', `/admin/models/${id}`)).toMatchObject({ status: 404, json: { error: { param: 'id' } } })
  })

  test('that is disabled takes the name away from backends that offer it, with and without its tag', async () => {
    await using house = await openAdminHouse({ yaml: two() })
    await house.ask('POST', '/admin/models', { name: 'mistral:latest', backend: 'home', enabled: false })
    expect(await house.chat('mistral:latest')).toMatchObject(notThere)
    expect(await house.chat('mistral')).toMatchObject(notThere)
    expect(await names(house)).toEqual(['llama3.2:3b', 'echo'])
    await using alone = await openAdminHouse({ yaml: { backends: { home: { type: 'ollama', base_url: ollama.url } } } })
    await alone.ask('POST', '/admin/models', { name: 'echo', backend: 'home', enabled: false })
    expect(await alone.chat('echo')).toMatchObject(notThere)
    expect((await alone.chat('len')).status).toBe(200)
  })

  test('is there again after a reload, and after a restart on the same file', async () => {
    await using house = await openAdminHouse({ yaml: two() })
    await house.ask('POST', '/admin/models', { name: 'm', backend: 'vllm', base_url: vllm.url, upstream_model: 'echo' })
    await house.ask('POST', '/admin/models', { name: 'n', backend: 'box', upstream_model: 'echo' })
    const common = { auth: 'off', admin: { api_key: 'sk-admin-0000' } }
    const before = house.serving.gateway.backends.get('model:1')
    await house.reload({ ...two(), ...common, models: [{ name: 'smart', targets: [{ backend: 'home' }] }] })
    expect(house.serving.gateway.backends.get('model:1')).toBe(before)
    expect((await house.chat('m')).status).toBe(200)
    expect((await house.chat('n')).status).toBe(200)

    // its backend goes from the config: nobody serves it, and it can still be disabled
    await house.reload({ ...common, backends: { home: { type: 'ollama', base_url: ollama.url } } })
    expect(await house.chat('n')).toMatchObject(notThere)
    expect(house.lines.some(({ message }) => String(message).includes('name a backend that nobody configured'))).toBe(true)
    expect((await house.ask('PUT', '/admin/models/2', { enabled: false })).json).toMatchObject({ backend: 'box', enabled: false })
    expect(await house.ask('PUT', '/admin/models/2', { backend: 'bax' })).toMatchObject({
      status: 400,
      json: { error: { code: 'unknown_backend' } },
    })

    const file = `${house.folder}/copy.db`
    await house.records.backup(file)
    await using again = await openAdminHouse({ yaml: { ...two(), database: { path: file } } })
    expect((await again.chat('m')).status).toBe(200)
  })

  test('leaves a row in the audit for each change', async () => {
    await using house = await openAdminHouse()
    await house.ask('POST', '/admin/models', { name: 'm', backend: 'up' })
    await house.ask('PUT', '/admin/models/1', { upstream_model: 'echo' })
    await house.ask('DELETE', '/admin/models/1')
    const { data } = (await house.ask('GET', '/admin/audit')).json
    expect(data).toMatchObject([
      { who: 'admin', what: 'model.delete', subject_id: 1, subject_name: 'm', after: null },
      { what: 'model.update', before: { upstream_model: null }, after: { upstream_model: 'echo' } },
      { what: 'model.create', before: null, after: { name: 'm', backend: 'up', base_url: null, source: 'admin' } },
    ])
  })

  test('keeps nobody else from being changed at the same time, and a stale change is refused', async () => {
    await using house = await openAdminHouse()
    await house.ask('POST', '/admin/models', { name: 'm', backend: 'up' })
    const answers = await Promise.all([
      house.ask('PUT', '/admin/models/1', { upstream_model: 'a' }),
      house.ask('PUT', '/admin/models/1', { enabled: false }),
      house.ask('PUT', '/admin/models/1', { name: 'n' }),
    ])
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect((await house.ask('GET', '/admin/models/1')).json).toMatchObject({ name: 'n', upstream_model: 'a', enabled: false, version: 4 })
    const stale = {
      status: 409,
      json: { error: { code: 'version_conflict', param: 'version', message: expect.stringContaining('is 4 now') } },
    }
    expect(await house.ask('PUT', '/admin/models/1', { enabled: true, version: 3 })).toMatchObject(stale)
    expect(await house.ask('DELETE', '/admin/models/1?version=3')).toMatchObject(stale)
  })
})

describe('models of the config', () => {
  const yaml = () => ({
    ...two(),
    models: [
      { name: 'smart', aliases: ['gpt-4o'], targets: [{ backend: 'box', model: 'echo' }, { backend: 'home' }] },
      { name: 'near/*', targets: [{ backend: 'home' }] },
      { name: 'whisper', command: 'whisper-server --port $PORT' },
    ],
  })

  test('are listed first and cannot be changed', async () => {
    await using house = await openAdminHouse({ yaml: yaml() })
    await house.ask('POST', '/admin/models', { name: 'mine', backend: 'box' })
    const { json } = await house.ask('GET', '/admin/models')
    const common = { base_url: null, enabled: true, source: 'config', version: 1, shadowed: false }
    expect(json).toEqual({
      data: [
        { id: -1, name: 'smart', backend: 'box', upstream_model: 'echo', ...common },
        { id: -2, name: 'near/*', backend: 'home', upstream_model: null, ...common },
        { id: -3, name: 'whisper', backend: 'process', upstream_model: null, ...common },
        expect.objectContaining({ id: 1, name: 'mine' }),
      ],
      next: null,
      total: 4,
    })
    expect((await house.ask('GET', '/admin/models/-2')).json).toEqual(json.data[1])
    const readOnly = { status: 409, json: { error: { code: 'read_only', param: 'id' } } }
    expect(await house.ask('PUT', '/admin/models/-1', { enabled: false })).toMatchObject(readOnly)
    expect(await house.ask('DELETE', '/admin/models/-3')).toMatchObject(readOnly)
    for (const method of ['GET', 'PUT', 'DELETE']) expect((await house.ask(method, '/admin/models/-4')).status).toBe(404)
  })

  test('win over one of the database, which says so', async () => {
    await using house = await openAdminHouse({ yaml: yaml() })
    for (const name of ['smart', 'gpt-4o', 'near/by', 'far']) {
      const { status, json } = await house.ask('POST', '/admin/models', { name, backend: 'box', enabled: false })
      expect([status, json.shadowed]).toEqual([201, name !== 'far'])
    }
    expect((await house.chat('smart')).status).toBe(200)
    expect((await house.chat('gpt-4o')).status).toBe(200)
    expect(await house.chat('far')).toMatchObject(notThere)
    const { data } = (await house.ask('GET', '/admin/models?after=-3')).json
    expect(data.map(({ name, shadowed }: Record<string, unknown>) => [name, shadowed])).toEqual([
      ['smart', true],
      ['gpt-4o', true],
      ['near/by', true],
      ['far', false],
    ])
    expect(await names(house)).toContain('smart')
  })

  test.each([1, 2, 3, 4, 100])('and the others come in pages of %d, each once', async limit => {
    await using house = await openAdminHouse({ yaml: yaml() })
    for (const name of ['a', 'b', 'Smarties', 'd']) await house.ask('POST', '/admin/models', { name, backend: 'box' })
    const all = async (query: string) => {
      const seen: string[] = []
      for (let next: number | null = 0; next !== null; ) {
        const { json } = await house.ask('GET', `/admin/models?limit=${limit}&after=${next}${query}`)
        expect(json.data.length).toBeLessThanOrEqual(limit)
        seen.push(...json.data.map(({ name }: { name: string }) => name))
        next = json.next
      }
      return seen
    }
    expect(await all('')).toEqual(['smart', 'near/*', 'whisper', 'a', 'b', 'Smarties', 'd'])
    expect(await all('&search=SMART')).toEqual(['smart', 'Smarties'])
    expect(await all('&search=nobody')).toEqual([])
  })
})

describe('a place that nobody could reach is refused', () => {
  const cases: [string, object, string, RegExp][] = [
    ['a type without an address', { backend: 'vllm' }, 'base_url', /base_url is missing/],
    ['neither a type nor a name', { backend: 'hom' }, 'backend', /did you mean home\?/],
    ['neither, with an address', { backend: 'vlm', base_url: 'http://localhost:8000' }, 'backend', /did you mean vllm\?/],
    ['the echo, which has no address', { backend: 'echo', base_url: 'http://localhost:8000' }, 'backend', /There is no backend "echo"/],
    ['a name with an address', { backend: 'home', base_url: 'http://localhost:8000' }, 'base_url', /does not go with "home"/],
    ['the backend of another model', { backend: 'model:1' }, 'backend', /There is no backend "model:1"/],
    ['no address', { backend: 'vllm', base_url: 'localhost:8000' }, 'base_url', /http:\/\/ or https:\/\//],
    ['another scheme', { backend: 'vllm', base_url: 'file:///etc/passwd' }, 'base_url', /http:\/\/ or https:\/\//],
    ['a query', { backend: 'vllm', base_url: 'http://localhost:8000/?a=b' }, 'base_url', /no \? or #/],
    ['a password', { backend: 'vllm', base_url: 'http://me:hunter2@localhost:8000' }, 'base_url', /must not hold a user, a password/],
    ['a user', { backend: 'vllm', base_url: 'http://me@localhost:8000' }, 'base_url', /must not hold a user, a password/],
    ['a key in its path', { backend: 'vllm', base_url: 'http://localhost:8000/hunter2/AbC9dEf8GhI7jKl6MnO5pQr4' }, 'base_url', /or a key/],
    ['a pattern', { name: 'a/*', backend: 'home' }, 'name', /patterns with "\*"/],
    ['a key', { backend: 'home', api_key: 'sk-fake-0000' }, 'api_key', /keeps no keys of backends/],
  ]
  test.each(cases)('%s', async (_, fields, param, message) => {
    await using house = await openAdminHouse({ yaml: two() })
    await house.ask('POST', '/admin/models', { name: 'there', backend: 'vllm', base_url: vllm.url })
    const made = await house.ask('POST', '/admin/models', { name: 'm', ...fields })
    expect(made).toMatchObject({
      status: 400,
      json: { error: { param, type: 'invalid_request_error', message: expect.stringMatching(message) } },
    })
    expect(made.text).not.toMatch(/hunter2|sk-fake/)
    // the same in a change; a type without an address is then at the one it had
    if (!('base_url' in fields) && Object.keys(fields).length === 1 && 'backend' in fields && fields.backend === 'vllm') return
    expect(await house.ask('PUT', '/admin/models/1', fields)).toMatchObject({ status: 400, json: { error: { param } } })
    expect((await house.ask('GET', '/admin/models')).json.total).toBe(1)
    expect(JSON.stringify(house.lines)).not.toMatch(/hunter2|sk-fake/)
  })

  test('gatehouse itself, by whatever name of this machine', async () => {
    await using house = await openAdminHouse()
    const { port } = new URL(house.url)
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '0.0.0.0', '127.9.9.9', '2130706433', 'x.localhost', '[::ffff:127.0.0.1]']) {
      const { status, json } = await house.ask('POST', '/admin/models', {
        name: 'm',
        backend: 'openai',
        base_url: `http://${host}:${port}`,
      })
      expect([host, status, json.error.message]).toEqual([host, 400, 'base_url is the address gatehouse itself listens on.'])
    }
  })

  test('a name that is taken', async () => {
    await using house = await openAdminHouse()
    for (const name of ['a', 'b']) await house.ask('POST', '/admin/models', { name, backend: 'up' })
    const taken = { status: 409, json: { error: { code: 'name_taken', param: 'name' } } }
    expect(await house.ask('POST', '/admin/models', { name: 'a', backend: 'up' })).toMatchObject(taken)
    expect(await house.ask('PUT', '/admin/models/2', { name: 'a' })).toMatchObject(taken)
    expect((await house.ask('PUT', '/admin/models/2', { name: 'b' })).status).toBe(200)
  })

  test('a server that leads elsewhere is not followed', async () => {
    const location = `${vllm.url}/v1/chat/completions`
    const leads = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => Response.redirect(location, 307) })
    await using house = await openAdminHouse()
    await house.ask('POST', '/admin/models', { name: 'm', backend: 'openai-compatible', base_url: `http://127.0.0.1:${leads.port}` })
    vllm.clear()
    expect((await house.chat('m')).status).toBe(502)
    expect(vllm.requests).toEqual([])
    await leads.stop(true)
  })
})
