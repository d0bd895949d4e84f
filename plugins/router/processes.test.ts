import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { smallModel, writeGguf } from '../../core/processes/gguf-testing.ts'
import { isAlive } from '../../core/processes/testing/alive.ts'
import { fakeOpenai } from '../../core/testing/fake-openai.ts'
import { comesTrue } from '../../core/testing/keyed.ts'
import { type StandIn, standIn } from '../../core/testing/model-process/stand-in.ts'
import { type House, openHouse } from '../../core/testing/open-house.ts'
import { walkHouse } from './testing/random-house.ts'

let stand: StandIn
beforeAll(() => {
  stand = standIn()
})
afterAll(() => stand[Symbol.dispose]())

const chat = ({ url }: House, model: string, fields: object = {}, init: RequestInit = {}) =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    ...init,
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }], max_tokens: 4, ...fields }),
  })
// biome-ignore lint/suspicious/noExplicitAny: what tests look at
const answerOf = async (response: Promise<Response>): Promise<{ status: number; headers: Headers; json: any }> => {
  const { status, headers } = await response
  return { status, headers, json: await (await response).json() }
}
const open = (models: readonly object[], more: object = {}) =>
  openHouse({
    yaml: { llama_server_path: stand.executable, port_range_start: 20_000 + Math.floor(Math.random() * 20_000), models, ...more },
  })
const rowOf = ({ serving }: House, model: string) => serving.gateway.processes.list().find(row => row.model === model)

describe('a model that gatehouse runs', () => {
  test('is started by its first request, for all who ask meanwhile, and once', async () => {
    const path = stand.model('shared', { loadMs: 300 })
    await using house = await open([{ name: 'shared', model_path: path }])
    expect(rowOf(house, 'shared')?.state).toBe('stopped')
    const answers = await Promise.all(Array.from({ length: 10 }, (_, at) => answerOf(chat(house, 'shared', { seed: at }))))
    for (const { status, json } of answers) expect([status, json.model]).toEqual([200, 'shared'])
    expect(stand.starts('shared')).toHaveLength(1)
    expect(rowOf(house, 'shared')).toMatchObject({ state: 'ready', in_flight: 0 })
    const [{ pid = 0 } = {}] = stand.starts('shared')
    await house.stop()
    expect(isAlive(pid)).toBe(false)
  })

  test('streams, and who leaves while it loads leaves the others alone', async () => {
    const path = stand.model('loads', { loadMs: 400 })
    await using house = await open([{ name: 'loads', model_path: path }])
    const leaver = new AbortController()
    const left = chat(house, 'loads', {}, { signal: leaver.signal }).catch((error: Error) => error.name)
    const stays = chat(house, 'loads', { stream: true })
    await comesTrue(() => rowOf(house, 'loads')?.state === 'starting', 'it starts')
    leaver.abort()
    expect(await left).toBe('AbortError')
    const text = await (await stays).text()
    expect(text).toContain('"model":"loads"')
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
    await comesTrue(() => rowOf(house, 'loads')?.in_flight === 0, 'nobody uses it any more')
  })

  test('tells those who want to know how far it is, in comments', async () => {
    const path = stand.model('telling', { loadMs: 1500 })
    await using house = await open([{ name: 'telling', model_path: path }])
    const headers = { 'x-gatehouse-progress': '1' }
    const text = await (await chat(house, 'telling', { stream: true }, { headers })).text()
    const told = [...text.matchAll(/^: progress (.*)$/gm)].map(([, json = '']) => JSON.parse(json))
    expect(told.length).toBeGreaterThanOrEqual(1)
    for (const progress of told) expect(progress).toMatchObject({ state: 'loading' })
    const events = text.split('\n\n').filter(event => event.startsWith('data: '))
    expect(events.at(-1)).toBe('data: [DONE]')
    expect(events.join('')).not.toContain('progress')
  })

  test('makes room for another one when there is none, and comes back', async () => {
    const models = ['x', 'y', 'z'].map(name => ({ name, model_path: stand.model(name) }))
    await using house = await open(models, { max_loaded_models: 2 })
    for (const model of ['x', 'y', 'z', 'x']) {
      const { status, json } = await answerOf(chat(house, model))
      expect([status, json.model]).toEqual([200, model])
      expect(house.serving.gateway.processes.list().filter(({ state }) => state === 'ready').length).toBeLessThanOrEqual(2)
    }
    expect(stand.starts('x')).toHaveLength(2)
  })

  test('never fits: a 503 with the numbers', async () => {
    await using house = await open([{ name: 'huge', model_path: stand.model('huge') }], { memory_limit: 1000 })
    const { status, json } = await answerOf(chat(house, 'huge'))
    expect([status, json.error.code]).toEqual([503, 'model_unavailable'])
    expect(json.error.message).toMatch(/\d/)
  })

  test('cannot be started: a 503 without a word of why, which is for the log', async () => {
    await using house = await open([{ name: 'gone', command: 'no-such-program --port $' + '{PORT}' }])
    const { status, headers, json } = await answerOf(chat(house, 'gone'))
    expect([status, json.error.code]).toEqual([503, 'model_unavailable'])
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    expect(JSON.stringify(json)).not.toContain('no-such-program')
    expect(JSON.stringify(house.lines)).toContain('no-such-program')
  })

  test('is killed: the next request starts it again, also before anybody has noticed', async () => {
    await using house = await open([{ name: 'fragile', model_path: stand.model('fragile') }])
    const upstream = await chat(house, 'fragile', { stream: true })
    await upstream.text()
    const row = rowOf(house, 'fragile')
    process.kill(row?.pid as number, 'SIGKILL')
    const { status, json } = await answerOf(chat(house, 'fragile', { seed: 5 }))
    expect([status, json.model]).toEqual([200, 'fragile'])
    expect(stand.starts('fragile')).toHaveLength(2)
  })

  test('falls back to another place when it cannot be started', async () => {
    await using other = await fakeOpenai({})
    await using house = await open(
      [
        { name: 'broken', command: 'no-such-program' },
        {
          name: 'either',
          targets: [
            { backend: 'processes', model: 'broken' },
            { backend: 'far', model: 'echo' },
          ],
        },
      ],
      { backends: { far: { type: 'openai-compatible', base_url: other.url } }, router: { retries: 0 } },
    )
    const { status, json } = await answerOf(chat(house, 'either'))
    expect([status, json.model]).toEqual([200, 'either'])
  })

  test('is in the list, by what fits into it; one that is unlisted is not, and answers all the same', async () => {
    await using house = await open([
      { name: 'seen', model_path: stand.model('seen'), context_size: 2048 },
      { name: 'hidden', model_path: stand.model('hidden'), unlisted: true },
    ])
    const { json } = await answerOf(fetch(`${house.url}/v1/models`))
    expect(json.data.map(({ id, context_length: length }: { id: string; context_length: number }) => [id, length])).toEqual([
      ['seen', 2048],
    ])
    expect((await chat(house, 'hidden')).status).toBe(200)
  })

  test('lies in a folder: it is offered by the name of its file, and one that comes later, too', async () => {
    using folder = standIn()
    writeGguf(join(folder.folder, 'lies-there.gguf'), smallModel())
    await using house = await open([], { models_dir: folder.folder, llama_server_path: folder.executable })
    const names = async () => (await answerOf(fetch(`${house.url}/v1/models`))).json.data.map(({ id }: { id: string }) => id)
    expect(await names()).toEqual(['lies-there'])
    expect((await answerOf(chat(house, 'lies-there'))).json.model).toBe('lies-there')
    writeGguf(join(folder.folder, 'comes-later.gguf'), smallModel())
    await comesTrue(async () => (await names()).includes('comes-later'), 'it is offered')
    expect((await chat(house, 'comes-later')).status).toBe(200)
    rmSync(`${folder.folder}/comes-later.gguf`)
    await comesTrue(async () => !(await names()).includes('comes-later'), 'it is gone')
    expect((await chat(house, 'comes-later', { seed: 1 })).status).toBe(404)
  })
})

describe('a reload', () => {
  test('leaves those alone whose own part stays the same, and ends those that are gone after their last request', async () => {
    const model = (name: string, more = {}) => ({ name, model_path: stand.model(name), ...more })
    const base = { llama_server_path: stand.executable, port_range_start: 41_000 }
    await using house = await openHouse({
      yaml: { ...base, models: [model('stays'), model('changes'), model('goes')], max_loaded_models: 3 },
    })
    for (const name of ['stays', 'changes', 'goes']) expect((await chat(house, name)).status).toBe(200)
    const held = await chat(house, 'goes', { stream: true, messages: [{ role: 'user', content: 'x' }] })
    await house.reload({ ...base, models: [model('stays'), model('changes', { context_size: 512 }), model('comes')], max_loaded_models: 3 })
    const rest = await held.text()
    expect(rest.slice(-200)).toEndWith('data: [DONE]\n\n')
    for (const name of ['stays', 'changes', 'comes']) expect((await chat(house, name, { seed: 2 })).status).toBe(200)
    expect((await chat(house, 'goes', { seed: 3 })).status).toBe(404)
    await comesTrue(() => rowOf(house, 'goes') === undefined, 'it has ended')
    expect(stand.starts('stays')).toHaveLength(1)
    expect(stand.starts('changes')).toHaveLength(2)
  })
})

test('of 200 random steps nothing is left, stuck, started twice, or answered by another model', async () => {
  const { wrong, answered } = await walkHouse(42, 200, 29_000)
  expect(wrong).toEqual([])
  expect(answered).toBeGreaterThan(60)
}, 120_000)
