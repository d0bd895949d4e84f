/** /running, load and unload, /health, and who may do what: against stand-ins for llama-server. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { comesTrue } from '../../testing/keyed.ts'
import { makeKey } from '../../testing/managed-key.ts'
import { isRunning, type StandIn, standIn } from '../../testing/model-process/stand-in.ts'
import { json, type ModelHouse, openModels, post, staticKey } from './testing/house.ts'

let stand: StandIn
beforeAll(() => {
  stand = standIn()
})
afterAll(() => stand[Symbol.dispose]())

const open = (models: readonly object[], more: object = {}) => openModels(models, { llama_server_path: stand.executable, ...more })
const answerOf = async (answer: Promise<Response>) => [(await answer).status, await json(answer)] as const
/** Keeps a model loading until it is opened. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>()
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, idleTimeout: 0, fetch: () => promise.then(() => new Response()) })
  return { askBeforeListening: server.url.href, open: resolve, [Symbol.dispose]: () => server.stop(true) }
}
const audit = async (house: ModelHouse) => {
  const { rows } = await house.serving.gateway.records.audit.list({ limit: 100 })
  return rows.map(({ who, what, subjectName, after }) => ({ who, what, subjectName, after })).reverse()
}
const chat = (house: ModelHouse, model: string, init: RequestInit = {}, fields: object = {}) =>
  house.ask('/v1/chat/completions', {
    ...post({ model, messages: [{ role: 'user', content: 'hi' }], ...fields }),
    ...init,
  })

describe('load and unload', () => {
  test('load answers with the row once the model is ready, for a name with slashes too', async () => {
    await using house = await open([{ name: 'org/big', model_path: stand.model('big', { loadMs: 200 }) }])
    const [status, row] = await answerOf(house.ask('/admin/models/org%2Fbig/load', post()))
    const { pid, port } = house.row('org/big') ?? {}
    expect([status, row]).toEqual([
      200,
      {
        ...{ model: 'org/big', state: 'ready', pid, port, since: expect.stringMatching(/^\d{4}-.*Z$/), last_used: expect.any(String) },
        ...{ in_flight: 0, queued: 0, memory_bytes: row.memory_bytes, restarts: 0, exit_code: null },
      },
    ])
    expect(pid).toBe(stand.starts('big')[0]?.pid)
    expect((await house.ask('/admin/models/org%2Fbig/load', { method: 'POST' })).status).toBe(200) // no body is one, too
    expect(stand.starts('big')).toHaveLength(1)
  })

  test('with wait: false it answers at once, and the load goes on', async () => {
    using shut = gate()
    await using house = await open([{ name: 'later', model_path: stand.model('later', shut) }])
    const [status, row] = await answerOf(house.ask('/admin/models/later/load', post({ wait: false })))
    expect([status, row.model]).toEqual([202, 'later'])
    expect(row.state).not.toBe('ready')
    shut.open()
    await comesTrue(() => house.row('later')?.state === 'ready', 'it is ready')
  })

  test('a client that leaves while it loads does not end the load', async () => {
    using shut = gate()
    await using house = await open([{ name: 'left', model_path: stand.model('left', shut) }])
    const leaver = new AbortController()
    const load = house.ask('/admin/models/left/load', { ...post(), signal: leaver.signal }).catch(error => error.name)
    await comesTrue(() => house.row('left')?.state === 'starting', 'it starts')
    leaver.abort()
    expect(await load).toBe('AbortError')
    await comesTrue(() => house.serving.gateway.exchanges.list().length === 0, 'the request is over') // a stop need not wait for it
    expect(house.row('left')?.state).toBe('starting')
    shut.open()
    await comesTrue(() => house.row('left')?.state === 'ready', 'it is ready')
  })

  test('what cannot be started is an error in the envelope, and the row says how it ended', async () => {
    await using house = await open([{ name: 'broken', model_path: stand.model('broken', { exitAtStart: 3 }) }])
    const [status, { error }] = await answerOf(house.ask('/admin/models/broken/load', post()))
    expect([status, error.type, error.code]).toEqual([503, 'service_unavailable', 'model_unavailable'])
    expect(house.row('broken')).toMatchObject({ state: 'failed', exit_code: 3 })
    expect((await house.ask('/admin/models/broken/load', post({ wait: false }))).status).toBe(202)
  })

  test('unload waits for requests in flight; by force it does not', async () => {
    const model = 'hold-mid' // so called, a stand-in stops after two chunks until it is released
    await using house = await open([{ name: model, model_path: stand.model(model) }])
    const begin = async () => {
      const reader = ((await chat(house, model, {}, { stream: true })).body as ReadableStream<Uint8Array>).getReader()
      await reader.read()
      return reader
    }
    const isStopping = () => comesTrue(() => house.row(model)?.state === 'stopping', 'it waits')
    const last = async (reader: Awaited<ReturnType<typeof begin>>) => {
      let text = ''
      for (let next = await reader.read(); !next.done; next = await reader.read()) text += new TextDecoder().decode(next.value)
      return text.trimEnd().split('\n\n').at(-1)
    }
    const first = await begin()
    const unloading = answerOf(house.ask(`/admin/models/${model}/unload`, post()))
    await isStopping()
    expect(house.row(model)?.in_flight).toBe(1)
    await fetch(`http://127.0.0.1:${house.row(model)?.port}/stand-in/release`)
    expect(await last(first)).toBe('data: [DONE]')
    expect(await unloading).toMatchObject([200, { state: 'stopped', pid: null, in_flight: 0 }])

    const second = await begin()
    const patient = house.ask(`/admin/models/${model}/unload`, post())
    await isStopping()
    expect(await answerOf(house.ask('/admin/unload', post({ force: true })))).toMatchObject([200, { data: [{ state: 'stopped' }] }])
    expect((await patient).status).toBe(200)
    expect(await last(second)).toContain('"error"')
    expect(stand.starts(model).map(({ pid }) => isRunning(pid))).toEqual([false, false])
  })

  test('all of them at once', async () => {
    const names = ['a', 'b']
    await using house = await open(names.map(name => ({ name, model_path: stand.model(name) })))
    for (const name of names) await house.ask(`/admin/models/${name}/load`, post())
    const [status, { data }] = await answerOf(house.ask('/admin/unload', post()))
    expect([status, data]).toMatchObject([200, names.map(model => ({ model, state: 'stopped' }))])
  })

  test('each leaves a row in the audit, and so does one that fails', async () => {
    await using house = await open([
      { name: 'noted', model_path: stand.model('noted') },
      { name: 'lame', model_path: stand.model('lame', { exitAtStart: 1 }) },
    ])
    for (const path of ['models/noted/load', 'models/lame/load', 'models/noted/unload', 'unload']) await house.ask(`/admin/${path}`, post())
    await house.ask('/admin/models/noted/unload', post({ force: true }))
    const row = { who: 'admin', after: null }
    expect((await audit(house)).filter(({ what }) => what.startsWith('model.'))).toEqual([
      { ...row, what: 'model.load', subjectName: 'noted' },
      { ...row, what: 'model.load', subjectName: 'lame' },
      { ...row, what: 'model.unload', subjectName: 'noted' },
      { ...row, what: 'model.unload', subjectName: null },
      { ...row, what: 'model.unload', subjectName: 'noted', after: { force: true } },
    ])
    const shown = await json(house.ask('/admin/audit'))
    expect(shown.data[0]).toMatchObject({ what: 'model.unload', subject_id: null, subject_name: 'noted', after: { force: true } })
  })

  test('names that are no process are 404, fields that there are not 400, and nothing is noted', async () => {
    await using house = await open([{ name: 'sync', model_path: stand.model('sync') }], { backends: { up: { type: 'echo' } } })
    const before = await audit(house)
    for (const path of ['models/echo/load', 'models/1/load', 'models/1/unload', 'models/org%2Fx/load']) {
      const [status, { error }] = await answerOf(house.ask(`/admin/${path}`, post()))
      expect([path, status, error.code]).toEqual([path, 404, 'model_not_found'])
    }
    for (const [path, body, param] of [
      ['models/sync/load', { wait: 'no' }, 'wait'],
      ['models/sync/load', { wiat: false }, 'wiat'],
      ['models/sync/load', { model: 'x' }, 'model'],
      ['models/sync/unload', { force: 1 }, 'force'],
      ['unload', { forec: true }, 'forec'],
    ] as const) {
      const [status, { error }] = await answerOf(house.ask(`/admin/${path}`, post(body)))
      expect([path, status, error.param]).toEqual([path, 400, param])
    }
    expect(await audit(house)).toEqual(before)
  })

  test('beside the routes of the admin API: none hides another, whatever the model is called', async () => {
    await using house = await open([{ name: 'sync', model_path: stand.model('sync') }])
    expect(await answerOf(house.ask('/admin/models/sync/load', post()))).toMatchObject([200, { model: 'sync', state: 'ready' }])
    expect(await answerOf(house.ask('/admin/models/sync', post({ dry_run: true })))).toMatchObject([200, { added: [] }])
    expect(await answerOf(house.ask('/admin/models/-1'))).toMatchObject([200, { id: -1, name: 'sync' }])
    const wrong = await house.ask('/admin/models/sync/load')
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST, OPTIONS'])
  })
})

describe('/running', () => {
  test('has every model with a process, whether it runs or not, and none else', async () => {
    await using house = await open([{ name: 'idle', model_path: stand.model('idle') }], { backends: { up: { type: 'echo' } } })
    const [status, { data }] = await answerOf(house.ask('/running'))
    expect([status, data]).toEqual([
      200,
      [
        {
          ...{ model: 'idle', state: 'stopped', pid: null, port: null, since: expect.any(String), last_used: null },
          ...{ in_flight: 0, queued: 0, memory_bytes: null, restarts: 0, exit_code: null },
        },
      ],
    ])
  })

  test('counts who waits for a place at it, and who waits for it to be ready', async () => {
    using shut = gate()
    await using house = await open([{ name: 'narrow', model_path: stand.model('narrow', shut), slots: 2 }])
    const leaver = new AbortController()
    const asked = Array.from({ length: 5 }, (_, seed) =>
      chat(house, 'narrow', { signal: leaver.signal }, { seed, model: 'narrow' }).catch(() => {}),
    )
    const figures = async () => {
      const [row] = (await json(house.ask('/running'))).data
      return [row.in_flight, row.queued]
    }
    await comesTrue(async () => Bun.deepEquals(await figures(), [0, 5]), 'two wait for the start, three for a place')
    leaver.abort()
    await Promise.all(asked)
    await comesTrue(async () => Bun.deepEquals(await figures(), [0, 0]), 'nobody waits any more')
  })

  test('shows a managed key the models that it may use', async () => {
    await using house = await open(['mine', 'other'].map(name => ({ name, model_path: stand.model(name) })))
    const { headers } = await makeKey(house, { allowedModels: ['mi*'] })
    const { data } = await json(fetch(`${house.url}/running`, { headers }))
    expect(data.map(({ model }: { model: string }) => model)).toEqual(['mine'])
  })
})

describe('/health', () => {
  const loaded = async ({ url }: ModelHouse, headers: Record<string, string> = {}) =>
    (await json(fetch(`${url}/health`, { headers }))).loaded_models

  test('lists the models that are loaded, to those with a key', async () => {
    await using house = await open(['one', 'two'].map(name => ({ name, model_path: stand.model(name) })))
    const known = { 'x-api-key': staticKey }
    expect(await loaded(house, known)).toEqual([])
    await house.ask('/admin/models/two/load', post())
    expect(await loaded(house, known)).toEqual(['two'])
    expect(await loaded(house)).toBeUndefined()
    expect(await loaded(house, { 'x-api-key': 'sk-wrong' })).toBeUndefined()
    expect(await loaded(house, { ...(await makeKey(house, { allowedModels: ['one'] })).headers })).toEqual([])
  })

  test('to everybody where nobody needs a key, until the first key closes the gateway', async () => {
    await using house = await open([{ name: 'm', model_path: stand.model('m') }], { api_key: undefined })
    await house.ask('/admin/models/m/load', post())
    expect(await loaded(house)).toEqual(['m'])
    const { headers } = await makeKey(house)
    expect(await loaded(house)).toBeUndefined()
    expect(await loaded(house, headers)).toEqual(['m'])
  })

  test('has no such field without models of our own', async () => {
    await using house = await open([], { backends: { up: { type: 'echo' } } })
    expect(await loaded(house, { 'x-api-key': staticKey })).toBeUndefined()
  })
})

describe('who may enter', () => {
  const named = ['/logs', '/logs/m', '/logs/m/stream', '/upstream/m/props'] as const
  const adminOnly = ['/admin/models/m/load', '/admin/models/m/unload', '/admin/unload'] as const
  const status = async ({ url }: ModelHouse, path: string, headers: Record<string, string>) => {
    const leaver = new AbortController()
    const answer = await fetch(url + path, { ...(path.startsWith('/admin') && post()), headers, signal: leaver.signal })
    leaver.abort() // a stream would go on
    return answer.status
  }
  const openOne = (more: object = {}) => open([{ name: 'm', model_path: stand.model('m') }], more)

  test('nobody without a key, also where the models need none', async () => {
    for (const more of [{}, { api_key: undefined }, { auth: 'off' }]) {
      await using house = await openOne(more)
      for (const path of [...named, ...adminOnly]) expect([path, await status(house, path, {})]).toEqual([path, 401])
      expect(await status(house, '/running', {})).toBe('api_key' in more || 'auth' in more ? 200 : 401)
    }
  })

  test('the admin key everywhere; a managed key and API_KEY nowhere but /running', async () => {
    await using house = await openOne()
    const { headers } = await makeKey(house)
    for (const path of [...named, ...adminOnly]) {
      expect([path, await status(house, path, headers)]).toEqual([path, 403])
      expect([path, await status(house, path, { 'x-api-key': staticKey })]).toEqual([path, 403])
      expect([path, (await house.ask(path, path.startsWith('/admin') ? post() : {})).status]).toEqual([path, 200])
    }
    expect(await status(house, '/running', headers)).toBe(200)
    expect(await status(house, '/running', { 'x-api-key': staticKey })).toBe(200)
  })

  test('a key whose allowed_endpoints name the path, and that may use the model', async () => {
    await using house = await openOne()
    const allowed = async (settings: Parameters<typeof makeKey>[1]) => {
      const { headers } = await makeKey(house, settings)
      return (
        await Promise.all([...named, ...adminOnly].map(async path => ((await status(house, path, headers)) === 200 ? [path] : [])))
      ).flat()
    }
    expect(await allowed({ allowedEndpoints: ['/logs'] })).toEqual(['/logs'])
    expect(await allowed({ allowedEndpoints: ['/logs/m'] })).toEqual(['/logs/m'])
    expect(await allowed({ allowedEndpoints: ['/logs/*'] })).toEqual(['/logs/m', '/logs/m/stream'])
    expect(await allowed({ allowedEndpoints: ['/upstream/m/*'] })).toEqual(['/upstream/m/props'])
    expect(await allowed({ allowedEndpoints: ['/upstream/other/*'] })).toEqual([])
    expect(await allowed({ allowedEndpoints: ['/upstream/*', '/logs', '/logs/*'] })).toEqual([...named])
    expect(await allowed({ allowedEndpoints: ['/upstream/*', '/logs', '/logs/*'], allowedModels: ['other'] })).toEqual(['/logs'])
    // all paths there are is not a name, and nothing opens the admin API
    expect(await allowed({ allowedEndpoints: ['/*'] })).toEqual([])
    expect(await allowed({ allowedEndpoints: ['/admin/*', '*'] })).toEqual([])
    expect(await allowed({ allowedEndpoints: [] })).toEqual([])
  })

  test('the admin API takes such paths, and says no to those that there are not', async () => {
    await using house = await openOne()
    const create = async (...allowed_endpoints: string[]) => (await house.ask('/admin/keys', post({ name: 'x', allowed_endpoints }))).status
    expect(await create('/logs', '/logs/*', '/logs/m', '/upstream/*', '/upstream/m/*', '/upstream/org/m/v1/*', '/running')).toBe(201)
    for (const path of ['/admin/unload', '/admin/models/m/load', '/upstreams/*', '/running/*', '/logs*'])
      expect([path, await create(path)]).toEqual([path, 400])
  })
})
