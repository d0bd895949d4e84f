import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import type { FakeServer } from '../../core/testing/fake-server.ts'
import { fakeVllm } from '../../core/testing/fake-vllm.ts'
import { httpChunk, rawUpstream, streamHead } from '../../core/testing/raw-upstream.ts'
import { eventsOf, openBehind } from './testing/behind.ts'
import { allEnded, arrived, type Client, eventually } from './testing/client.ts'
import { type CachingHouse, openCachingHouse } from './testing/house.ts'
import { blocksOf, errorOf, withoutUsage } from './testing/streams.ts'

let vllm: FakeServer
let house: CachingHouse
const yaml = {
  get backends() {
    return { up: { type: 'vllm', base_url: vllm.url } }
  },
  router: { retries: 0 },
}

beforeAll(async () => {
  vllm = await fakeVllm()
  house = await openCachingHouse({ yaml })
})
beforeEach(() => vllm.clear())
afterAll(async () => {
  await house.stop()
  await vllm.stop()
})

let fresh = 0
const unique = () => ({ messages: [{ role: 'user', content: `joins ${++fresh}` }] })
const withUsage = { stream: true, stream_options: { include_usage: true } }
const asStream = { stream: true }
/** The difference that `work` makes to what the cache says of itself. */
async function counted(work: () => Promise<unknown>) {
  const before = await house.report()
  await work()
  const after = await house.report()
  return Object.fromEntries(
    ['misses', 'joins', 'hits', 'bypasses', 'tokens_saved'].map(name => [name, Number(after[name]) - Number(before[name])]),
  )
}
const caches = async (clients: readonly Client[]) => (await Promise.all(clients.map(({ cache }) => cache))).sort()

describe('identical requests at the same time', () => {
  test.each([
    ['a stream', asStream],
    ['a stream with its usage', withUsage],
    ['a whole answer', {}],
  ])('reach the upstream once, and all get all of it: %s first', async (_, first) => {
    const said = unique()
    let clients: Client[] = []
    const figures = await counted(async () => {
      clients = [house.open({ model: 'hold', ...said, ...first })]
      await vllm.until(() => vllm.streams.length === 1, 'the first is there')
      for (let i = 1; i < 20; i++) clients.push(house.open({ model: 'hold', ...said, ...[asStream, withUsage, {}][i % 3] }))
      await arrived(house, 20)
      vllm.release()
      await allEnded(clients)
    })
    expect(vllm.streams).toMatchObject([{ ended: 'complete' }])
    expect(figures).toEqual({ misses: 1, joins: 19, hits: 0, bypasses: 0, tokens_saved: 19 * 18 })
    expect(await caches(clients)).toEqual([...Array.from({ length: 19 }, () => 'HIT'), 'MISS'])
    const responses = await Promise.all(clients.map(({ response }) => response))
    expect(await clients[0]?.cache).toBe('MISS')
    expect(responses.map(({ status, headers }) => [status, headers.get('age')])).toEqual(clients.map((_, i) => [200, i === 0 ? null : '0']))
    const [whole, plain, full] = [{}, asStream, withUsage].map(how => house.chat({ model: 'hold', ...said, ...how }))
    const texts = { '{}': (await whole)?.body, plain: (await plain)?.body, full: (await full)?.body }
    expect(withoutUsage(texts.full as string)).toBe(texts.plain as string)
    for (const { text } of clients) expect(Object.values(texts)).toContain(text)
    expect(new Set(clients.map(({ text }) => text)).size).toBe(3)
  })

  test('one that comes later gets it from its first event', async () => {
    const fields = { model: 'hold-mid', ...unique(), ...withUsage }
    const first = house.open(fields)
    await first.until(1)
    await vllm.until(() => vllm.streams[0]?.eventsSent === 3, 'the first chunks are out')
    const later = house.open(fields)
    await eventually(() => blocksOf(first.text).length === 3, 'the first chunks')
    await later.until(first.bytes.length)
    expect(later.text).toBe(first.text)
    vllm.release()
    expect(await allEnded([first, later])).toEqual(['complete', 'complete'])
    expect(later.bytes.equals(first.bytes)).toBe(true)
    expect(first.text).toEndWith('data: [DONE]\n\n')
    expect(vllm.streams).toHaveLength(1)
  })

  test.each<[string, object, Record<string, string>, number]>([
    ['no-cache', {}, { 'cache-control': 'no-cache' }, 3],
    ['no-store', {}, { 'cache-control': 'no-store' }, 3],
    ['variety', { temperature: 0.7 }, {}, 3],
    ['mcp://', { messages: [{ role: 'user', content: 'mcp://a/b' }] }, {}, 3],
    ['none of these', {}, {}, 1],
  ])('share nothing when they pass by the cache: %s', async (_, more, headers, expected) => {
    const fields = { model: 'hold', ...unique(), ...more }
    const clients = [house.open(fields, headers), house.open({ ...fields, ...asStream }, headers), house.open(fields, headers)]
    await arrived(house, 3)
    await vllm.until(() => vllm.streams.length === expected, `${expected} at the upstream`)
    vllm.release()
    expect(await allEnded(clients)).toEqual(['complete', 'complete', 'complete'])
    expect(vllm.streams).toHaveLength(expected)
  })

  test('nobody joins the generation of one who passes by', async () => {
    const fields = { model: 'hold', ...unique() }
    const clients = [house.open(fields, { 'cache-control': 'no-cache' })]
    await vllm.until(() => vllm.streams.length === 1, 'one')
    clients.push(house.open(fields))
    await vllm.until(() => vllm.streams.length === 2, 'two')
    vllm.release()
    await allEnded(clients)
    expect(await caches(clients)).toEqual(['BYPASS', 'MISS'])
  })
})

describe('who leaves', () => {
  const statusOf = async (id: string) => {
    const line = () => house.lines.find(({ request_id, status }) => request_id === id && status !== undefined)
    await eventually(() => line() !== undefined, 'the line of the request')
    return line()?.status
  }

  test.each(['hold', 'hold-first', 'hold-mid'])('first, stops nothing: %s', async model => {
    const fields = { model, ...unique(), ...asStream }
    const id = `leader-${model}`
    const leader = house.open(fields, { 'x-request-id': id })
    await vllm.until(() => vllm.streams.length === 1, 'the first is there')
    const others = [house.open(fields), house.open({ ...fields, ...withUsage }), house.open({ ...fields, stream: false })]
    await arrived(house, 4)
    leader.leave()
    expect(await statusOf(id)).toBe(499)
    await arrived(house, 3)
    expect(vllm.streams[0]?.ended).toBeUndefined()
    vllm.release()
    expect(await allEnded(others)).toEqual(['complete', 'complete', 'complete'])
    expect(vllm.streams).toMatchObject([{ ended: 'complete' }])
    expect(withoutUsage(others[1]?.text as string)).toBe(others[0]?.text as string)
    expect(await house.chat(fields)).toMatchObject({ cache: 'HIT', body: others[0]?.text as string })
  })

  test.each(['hold', 'hold-first', 'hold-mid'])('last, ends the upstream: %s', async model => {
    const fields = { model, ...unique() }
    const clients = [asStream, {}, withUsage].map(how => house.open({ ...fields, ...how }))
    await arrived(house, 3)
    await vllm.until(() => vllm.streams.length === 1, 'the upstream has it')
    for (const client of clients) {
      expect(vllm.streams[0]?.ended).toBeUndefined()
      client.leave()
      await client.ended
    }
    await vllm.until(() => vllm.streams[0]?.ended === 'client-left', 'the upstream sees the close')
    await arrived(house, 0)
    expect((await house.chat({ ...fields, model: 'echo' })).cache).toBe('MISS')
  })

  test('in the middle of a stream that it wanted whole, is gone at once', async () => {
    const fields = { model: 'hold-mid', ...unique() }
    const stays = house.open({ ...fields, ...asStream })
    await stays.until(1)
    const leaves = house.open(fields, { 'x-request-id': 'leaves' })
    await arrived(house, 2)
    leaves.leave()
    expect(await statusOf('leaves')).toBe(499)
    await arrived(house, 1)
    vllm.release()
    expect(await stays.ended).toBe('complete')
  })

  test('last, while events flow: it sends fewer than three more', async () => {
    const fields = { model: 'burst:1000:40', ...unique(), ...asStream }
    const clients = [house.open(fields), house.open(fields), house.open(fields)]
    await Promise.all(clients.map(client => client.until(1000)))
    clients[0]?.leave()
    clients[1]?.leave()
    await arrived(house, 1)
    const before = vllm.streams[0]?.eventsSent as number
    await vllm.until(() => (vllm.streams[0]?.eventsSent as number) > before + 1, 'it goes on for the last one')
    const sent = vllm.streams[0]?.eventsSent as number
    clients[2]?.leave()
    await vllm.until(() => vllm.streams[0]?.ended === 'client-left', 'the upstream sees the close')
    expect((vllm.streams[0]?.eventsSent as number) - sent).toBeLessThan(3)
    expect(vllm.streams).toHaveLength(1)
  })
})

describe('a generation that fails', () => {
  test('in the middle, gives all the same bytes and each an error of its own', async () => {
    const half = eventsOf(['a', 'b']).slice(0, 3)
    let breakOff = () => {}
    const raw = await rawUpstream(socket => {
      socket.write(streamHead + httpChunk(half.join('')))
      breakOff = () => socket.destroy()
    })
    await using broken = await openCachingHouse({
      yaml: { backends: { up: { type: 'openai-compatible', base_url: raw.url } }, router: { retries: 0 } },
    })
    const clients = [asStream, asStream, withUsage, {}].map((how, i) =>
      broken.open({ model: 'm', ...how }, { 'x-request-id': `broken-${i}` }),
    )
    await Promise.all(clients.slice(0, 3).map(client => client.until(half.join('').length)))
    await arrived(broken, 4)
    breakOff()
    expect(await allEnded(clients)).toEqual(['complete', 'complete', 'complete', 'complete'])
    expect(raw.requests()).toBe(1)
    for (const [i, { text }] of clients.slice(0, 3).entries()) {
      expect(blocksOf(text).slice(0, -1)).toEqual([...half])
      expect(errorOf(blocksOf(text).at(-1) as string)).toMatchObject({
        type: 'server_error',
        code: 'bad_gateway',
        request_id: `broken-${i}`,
      })
    }
    expect((await clients[3]?.response)?.status).toBe(502)
    expect(errorOf(clients[3]?.text as string)).toMatchObject({ code: 'bad_gateway', request_id: 'broken-3' })
    expect(await broken.report()).toMatchObject({ entries: 0, bytes: 0, tokens_saved: 0 })
    await raw.stop()
  })

  test.each([400, 429, 500, 503])('before it begins, gives all the same %d', async status => {
    await using up = await openBehind(async ({ released }) => {
      await released
      return Response.json({ error: { message: 'no', type: 'x' } }, { status, headers: { 'retry-after': '60' } })
    })
    const clients = [asStream, {}, withUsage, {}].map((how, i) => up.house.open({ model: 'm', ...how }, { 'x-request-id': `refused-${i}` }))
    await arrived(up.house, 4)
    await eventually(() => up.asked() === 1, 'the upstream has it')
    up.release()
    await allEnded(clients)
    expect(up.asked()).toBe(1)
    const answers = await Promise.all(clients.map(async ({ response, text }) => ({ status: (await response).status, ...errorOf(text) })))
    const [first, ...joiners] = await Promise.all(clients.map(({ response }) => response))
    expect(first?.headers.get('x-cache')).toBe('MISS')
    for (const { headers } of joiners) expect([headers.get('x-cache'), headers.get('age')]).toEqual([null, null])
    expect(answers[0]?.status).toBe(status === 500 ? 502 : status)
    expect(answers).toEqual(clients.map((_, i) => ({ ...(answers[0] as (typeof answers)[number]), request_id: `refused-${i}` })))
  })
})
