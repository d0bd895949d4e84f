/** What the programs of models write: lists, lines and streams of them, from real processes. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { comesTrue } from '../../testing/keyed.ts'
import { adminKey, json, type ModelHouse, openModels, post, rawCommand } from './testing/house.ts'

let house: ModelHouse
beforeAll(async () => {
  const models = ['talker', 'org/talker', 'org/talker/stream', 'silent'].map(name => ({ name, command: rawCommand }))
  house = await openModels(models, { max_loaded_models: 9, heartbeat: '100ms' })
  for (const { name } of models) if (name !== 'silent') await house.ask(`/admin/models/${encodeURIComponent(name)}/load`, post())
})
afterAll(() => house.stop())

const output = (model: string) => house.serving.gateway.processes.get(model)?.output
const newest = (model: string) => output(model)?.lines({ last: 1 })[0]?.id ?? 0
/** Has a model write lines, and waits until they are here. */
const say = async (model: string, text: string, lines: number) => {
  const before = newest(model)
  await (await house.ask(`/upstream/${model}/say?lines=${lines}&text=${text}`)).text()
  await comesTrue(() => newest(model) >= before + lines, 'the lines have come')
}
const text = async (path: string) => (await house.ask(path)).text()

describe('lines', () => {
  test('the list says how many each model has', async () => {
    const { data } = await json(house.ask('/logs'))
    expect(data).toEqual(
      ['talker', 'org/talker', 'org/talker/stream', 'silent'].map(model => ({ model, lines: output(model)?.lines().length })),
    )
    expect(data.at(-1)).toEqual({ model: 'silent', lines: 0 })
    expect(data[0].lines).toBeGreaterThan(0)
  })

  test('as plain text, all that are kept, the last few, and those after an id', async () => {
    const answer = await house.ask('/logs/talker')
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect((await answer.text()).split('\n')).toContain('listening')
    await say('talker', 'word', 5)
    expect(await text('/logs/talker?tail=2')).toBe('word 4\nword 5\n')
    expect(await text('/logs/talker?tail=0')).toBe('')
    expect(await text(`/logs/talker?after=${newest('talker') - 3}`)).toBe('word 3\nword 4\nword 5\n')
    expect(await text(`/logs/talker?after=${newest('talker') - 3}&tail=1`)).toBe('word 5\n')
    expect(await text(`/logs/talker?after=${newest('talker')}`)).toBe('')
    // of an earlier gatehouse, which counted further
    expect(await text(`/logs/talker?after=${newest('talker') + 9}&tail=1`)).toBe('word 5\n')
    expect(await text('/logs/silent')).toBe('')
  })

  test('as JSON for those who ask for it', async () => {
    await say('talker', 'json', 1)
    const answer = await house.ask('/logs/talker?tail=1', { headers: { accept: 'application/json' } })
    expect(await json(answer)).toEqual({ data: [{ id: newest('talker'), at: expect.any(Number), from: 'stdout', text: 'json 1' }] })
  })

  test('of the model with the longest name, its slashes encoded or not', async () => {
    await say('org/talker', 'slash', 1)
    expect(await text('/logs/org/talker?tail=1')).toBe('slash 1\n')
    expect(await text('/logs/org%2Ftalker/?tail=1')).toBe('slash 1\n')
    await say('org/talker/stream', 'other', 1)
    expect(await text('/logs/org/talker/stream?tail=1')).toBe('other 1\n') // a model called so, and no stream
  })

  test.each([
    ['/logs/nobody', 404, 'model_not_found'],
    ['/logs/talker/streams', 404, 'model_not_found'],
    ['/logs/talker?tail=-1', 400, 'invalid_query'],
    ['/logs/talker?tail=', 400, 'invalid_query'],
    ['/logs/talker?after=x', 400, 'invalid_query'],
    ['/logs/talker?tial=1', 400, 'invalid_query'],
    ['/logs/talker/stream?tial=1', 400, 'invalid_query'],
  ])('%s is %i %s', async (path, status, code) => {
    const answer = await house.ask(path)
    expect([answer.status, (await json(answer)).error.code]).toEqual([status, code])
  })
})

/** A reader of a stream, event by event. */
async function follow(path: string, headers: Record<string, string> = {}, from: ModelHouse = house) {
  const leaver = new AbortController()
  const answer = await from.ask(path, { headers, signal: leaver.signal })
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8'])
  const decoder = new TextDecoder()
  let raw = ''
  const ended = (async () => {
    for await (const bytes of answer.body as ReadableStream<Uint8Array>) raw += decoder.decode(bytes, { stream: true })
    return 'ended'
  })().catch((error: Error) => error.name)
  const events = () =>
    raw
      .split('\n\n')
      .slice(0, -1)
      .filter(block => /^data: /m.test(block))
  const texts = () => events().map(block => JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? '').text as string)
  return { ended, leave: () => leaver.abort(), raw: () => raw, events, texts }
}

describe('a stream', () => {
  test('has the lines that are kept and then every new one, with its id, and a sign of life in between', async () => {
    const stream = await follow('/logs/talker/stream')
    const kept = output('talker')?.lines() ?? []
    await comesTrue(() => stream.texts().length === kept.length, 'all that is kept')
    await say('talker', 'live', 3)
    await comesTrue(() => stream.texts().at(-1) === 'live 3', 'the new ones')
    const lines = output('talker')?.lines() ?? []
    expect(stream.events()).toEqual(lines.map(line => `id: ${line.id}\ndata: ${JSON.stringify(line)}`))
    await comesTrue(() => stream.raw().endsWith(': keep-alive\n\n'), 'a heartbeat')
    stream.leave()
    expect(await stream.ended).toBe('AbortError')
    await comesTrue(() => house.serving.gateway.exchanges.list().length === 0, 'the request is over')
  })

  test('goes on behind Last-Event-ID, or with the last few', async () => {
    await say('talker', 'again', 4)
    const last = newest('talker')
    for (const [path, headers, expected] of [
      ['/logs/talker/stream', { 'last-event-id': String(last - 2) }, ['again 3', 'again 4']],
      ['/logs/talker/stream?after=1', { 'last-event-id': String(last - 1) }, ['again 4']], // what a browser sends again with the same address
      [`/logs/talker/stream?after=${last - 1}`, {}, ['again 4']],
      ['/logs/talker/stream?tail=1', {}, ['again 4']],
      ['/logs/talker/stream?tail=0', {}, []],
    ] as [string, Record<string, string>, string[]][]) {
      const stream = await follow(path, headers)
      await comesTrue(() => stream.texts().length === expected.length && stream.raw() !== '', 'those')
      expect([path, stream.texts()]).toEqual([path, expected])
      expect(stream.raw()).not.toContain('omitted')
      stream.leave()
      await stream.ended
    }
  })

  test('an id of an earlier gatehouse, which counted further, is the beginning', async () => {
    const stream = await follow('/logs/talker/stream', { 'last-event-id': String(newest('talker') + 1) })
    await comesTrue(() => stream.texts().includes('listening'), 'the first line')
    stream.leave()
    await stream.ended
  })

  test('a model that is not in the config any more ends it', async () => {
    const own = await openModels([{ name: 'short', command: rawCommand }], { backends: { up: { type: 'echo' } } })
    try {
      const stream = await follow('/logs/short/stream', {}, own)
      await own.reload({ admin: { api_key: adminKey }, backends: { up: { type: 'echo' } } })
      expect(await stream.ended).toBe('ended')
    } finally {
      await own.stop()
    }
  })

  test('a stop does not wait for who reads it', async () => {
    const own = await openModels([{ name: 'short', command: rawCommand }])
    try {
      const stream = await follow('/logs/short/stream', {}, own)
      await comesTrue(() => stream.raw() !== '', 'it has begun')
      await own.serving.stop(60_000) // the test would be too late
      expect(await stream.ended).toBe('ended')
    } finally {
      await own.stop()
    }
  })
})
