import { describe, expect, test } from 'bun:test'
import { fakeOllama } from '../../core/testing/fake-ollama.ts'
import { fakeVllm } from '../../core/testing/fake-vllm.ts'
import type { AdminHouse } from './testing/house.ts'
import { everything, openAdminHouse } from './testing/house.ts'

/** Two servers whose models can be changed, and a gateway in front of them. */
async function openAll(yaml: object = {}) {
  const [home, box] = [
    ['mistral:latest', 'shared'],
    ['shared', 'echo'],
  ]
  const ollama = await fakeOllama({ models: home })
  const vllm = await fakeVllm({ models: box })
  const backends = { home: { type: 'ollama', base_url: ollama.url }, box: { type: 'vllm', base_url: vllm.url } }
  const house = await openAdminHouse({ yaml: { backends, health_check_timeout: '2s', ...yaml } })
  return {
    house,
    home,
    box,
    ollama,
    vllm,
    backends,
    sync: async (body?: object) => (await house.ask('POST', '/admin/models/sync', body)).json,
    async [Symbol.asyncDispose]() {
      await house.stop()
      await ollama.stop()
      await vllm.stop()
    },
  }
}

const set = (names: string[], ...now: string[]) => names.splice(0, names.length, ...now)
const rows = async (house: AdminHouse) =>
  (await house.ask('GET', '/admin/models')).json.data.map(({ name, backend, enabled, source }: Record<string, unknown>) => ({
    name,
    backend,
    enabled,
    source,
  }))
const synced = (name: string, backend: string, enabled = true) => ({ name, backend, enabled, source: 'sync' })

describe('a sync', () => {
  test('makes what is missing, and nothing twice', async () => {
    await using all = await openAll()
    expect(await all.sync()).toEqual({ added: ['mistral:latest', 'shared', 'echo'], removed: [], unchanged: 0, errors: [] })
    expect(await rows(all.house)).toEqual([synced('mistral:latest', 'home'), synced('shared', 'home'), synced('echo', 'box')])
    expect(await all.sync({})).toEqual({ added: [], removed: [], unchanged: 3, errors: [] })
    expect((await all.house.chat('echo')).status).toBe(200)
    expect((await all.house.ask('GET', '/admin/audit')).json.data).toHaveLength(3)
  })

  test('that is dry says the same and changes nothing', async () => {
    await using all = await openAll()
    const before = await everything(all.house.records)
    expect(await all.sync({ dry_run: true, backend: null })).toEqual({
      added: ['mistral:latest', 'shared', 'echo'],
      removed: [],
      unchanged: 0,
      errors: [],
    })
    expect(await everything(all.house.records)).toEqual(before)
    await all.sync()
    set(all.box)
    const after = await everything(all.house.records)
    expect(await all.sync({ dry_run: true })).toMatchObject({ removed: ['echo'], unchanged: 2 })
    expect(await everything(all.house.records)).toEqual(after)
  })

  test('removes what a backend no longer has, and nothing that an admin made', async () => {
    await using all = await openAll()
    await all.house.ask('POST', '/admin/models', { name: 'mine', backend: 'box' })
    await all.sync()
    set(all.box, 'new')
    expect(await all.sync()).toEqual({ added: ['new'], removed: ['echo'], unchanged: 2, errors: [] })
    expect(await rows(all.house)).toEqual([
      { name: 'mine', backend: 'box', enabled: true, source: 'admin' },
      synced('mistral:latest', 'home'),
      synced('shared', 'home'),
      synced('new', 'box'),
    ])
  })

  test('leaves everything of a backend that fails as it is, and says so without its address', async () => {
    await using all = await openAll()
    await all.sync()
    await all.vllm.stop()
    set(all.home, 'shared')
    const { errors, ...rest } = await all.sync()
    expect(rest).toEqual({ added: [], removed: ['mistral:latest'], unchanged: 1 })
    expect(errors).toEqual([{ backend: 'box', error: expect.any(String) }])
    expect(errors[0].error).not.toMatch(/http|127\.0\.0\.1|\d{4}/)
    expect(await rows(all.house)).toEqual([synced('shared', 'home'), synced('echo', 'box')])
  })

  test('waits no longer for a backend than a check may take', async () => {
    const silent = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
    await using all = await openAll({
      backends: { stuck: { type: 'vllm', base_url: `http://127.0.0.1:${silent.port}` } },
      health_check_timeout: '100ms',
    })
    expect(await all.sync()).toMatchObject({ added: [], errors: [{ backend: 'stuck', error: expect.any(String) }] })
    silent.stop(true)
  })

  test('of one backend asks that one alone', async () => {
    await using all = await openAll()
    expect(await all.sync({ backend: 'box' })).toEqual({ added: ['shared', 'echo'], removed: [], unchanged: 0, errors: [] })
    set(all.box, 'echo')
    // `home` has `shared` too, but was not asked
    expect(await all.sync({ backend: 'home' })).toMatchObject({ added: ['mistral:latest'], removed: [], unchanged: 1 })
    expect(await all.sync({ backend: 'box' })).toMatchObject({ removed: ['shared'], unchanged: 1 })
    const refused = await all.house.ask('POST', '/admin/models/sync', { backend: 'bx' })
    expect(refused).toMatchObject({
      status: 400,
      json: { error: { param: 'backend', message: expect.stringContaining('did you mean box?') } },
    })
  })

  test('moves a model that is at another backend now, and leaves it disabled', async () => {
    await using all = await openAll()
    await all.sync()
    await all.house.ask('PUT', '/admin/models/2', { enabled: false })
    set(all.home, 'mistral:latest')
    expect(await all.sync()).toEqual({ added: [], removed: [], unchanged: 3, errors: [] })
    expect(await rows(all.house)).toEqual([synced('mistral:latest', 'home'), synced('shared', 'box', false), synced('echo', 'box')])
  })

  test('keeps a disabled model whose backend has it no longer: it must not come back enabled', async () => {
    await using all = await openAll()
    await all.sync()
    await all.house.ask('PUT', '/admin/models/3', { enabled: false })
    set(all.box)
    expect(await all.sync()).toMatchObject({ removed: [] })
    set(all.box, 'echo')
    expect(await all.sync()).toMatchObject({ added: [], removed: [] })
    expect((await all.house.chat('echo')).status).toBe(404)
  })

  test('makes none of a name that the config has, nor of what cannot be a name', async () => {
    await using all = await openAll({ models: [{ name: 'smart', aliases: ['echo'], targets: [{ backend: 'box' }] }] })
    set(all.box, 'echo', 'a*', 'new\nline', 'x'.repeat(257), ' ')
    expect(await all.sync({ backend: 'box' })).toEqual({
      added: [],
      removed: [],
      unchanged: 1,
      errors: [{ backend: 'box', error: '4 names cannot be names of models here' }],
    })
  })

  test('removes what was found at a backend that is no longer configured', async () => {
    await using all = await openAll()
    await all.sync()
    await all.house.reload({ backends: { home: all.backends.home }, auth: 'off', admin: { api_key: 'sk-admin-0000' } })
    expect(await all.sync({ backend: 'home' })).toMatchObject({ removed: [] })
    expect(await all.sync()).toMatchObject({ removed: ['echo'] })
  })

  test('takes no failover away: whoever else offers the name takes over', async () => {
    await using all = await openAll()
    set(all.home, 'echo')
    await all.sync()
    expect(await rows(all.house)).toEqual([synced('echo', 'home'), synced('shared', 'box')])
    await all.house.ask('GET', '/v1/models')
    expect((await all.house.chat('echo')).status).toBe(200)
    expect(all.vllm.streams).toHaveLength(0)
    await all.ollama.stop()
    expect((await all.house.chat('echo')).status).toBe(200)
    expect(all.vllm.streams).toHaveLength(1)
  })

  test('does not send requests to a backend that has lost the model while another has it', async () => {
    await using all = await openAll()
    set(all.home, 'echo:latest')
    set(all.box, 'echo')
    await all.sync({ backend: 'home' })
    const { models } = all.house.serving.gateway
    const places = async (name: string) => (await models.resolve(name))?.targets.map(({ backend, model }) => `${backend} ${model}`)
    expect(await places('echo')).toEqual(['home echo:latest'])
    await all.house.ask('GET', '/v1/models')
    expect(await places('echo')).toEqual(['home echo:latest', 'box echo'])
    expect(await places('echo:latest')).toEqual(['home echo:latest'])
    set(all.home, 'other')
    await all.house.ask('GET', '/v1/models')
    expect(await places('echo')).toEqual(['box echo'])
    expect(await places('echo:latest')).toEqual(['home echo:latest']) // nobody else has it: its backend says so itself
  })

  test('of a thousand models is done in one go, and two at once make none twice', async () => {
    await using all = await openAll()
    set(all.box, ...Array.from({ length: 1000 }, (_, at) => `m-${at}`))
    const both = await Promise.all([all.sync({ backend: 'box' }), all.sync({ backend: 'box' })])
    expect(both[0].added.length + both[1].added.length).toBe(1000)
    expect((await all.house.ask('GET', '/admin/models?limit=1')).json.total).toBe(1000)
  })
})
