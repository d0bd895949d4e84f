import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import type { FakeServer } from '../../core/testing/fake-server.ts'
import { fakeVllm } from '../../core/testing/fake-vllm.ts'
import { eventsOf, openBehind, streamed } from './testing/behind.ts'
import { allEnded, arrived, type Client, eventually, openClient } from './testing/client.ts'
import { openCachingHouse, pipelineWith } from './testing/house.ts'
import { managedKeys, refusesSome } from './testing/plugins.ts'

let vllm: FakeServer
beforeAll(async () => {
  vllm = await fakeVllm()
})
beforeEach(() => vllm.clear())
afterAll(() => vllm.stop())

const files = { 'keys.ts': managedKeys, 'refuses.ts': refusesSome }
const open = (above: readonly string[], below: readonly string[]) =>
  openCachingHouse({
    files,
    yaml: { backends: { up: { type: 'vllm', base_url: vllm.url } }, router: { retries: 0 }, pipeline: pipelineWith({ above, below }) },
  })
const asStream = { stream: true }
const withUsage = { stream: true, stream_options: { include_usage: true } }
const atUpstream = (count = 1) => vllm.until(() => vllm.streams.length === count, `${count} at the upstream`)
const statuses = (clients: readonly Client[]) => Promise.all(clients.map(async ({ response }) => (await response).status))

describe('who may join whom', () => {
  test('managed keys do not join each other, unless both say that all may have their answers', async () => {
    await using house = await open(['./keys.ts'], [])
    const key = (id: string, scope?: string) => ({ 'x-managed': id, ...(scope && { 'x-scope': scope }) })
    const askers = [key('1'), key('1'), key('2'), key('3', 'all'), key('4', 'all'), key('5', 'off'), key('5', 'off'), {}, {}]
    const clients = askers.map(headers => house.open({ model: 'hold' }, headers))
    await arrived(house, askers.length)
    await atUpstream(5) // 1; 2; all of 3, 4 and the two without a key; 5 twice
    vllm.release()
    await allEnded(clients)
    const caches = await Promise.all(clients.map(({ cache }) => cache))
    expect(caches.slice(0, 3).sort()).toEqual(['HIT', 'MISS', 'MISS'])
    expect(caches.slice(5, 7)).toEqual(['BYPASS', 'BYPASS'])
    expect([...caches.slice(3, 5), ...caches.slice(7)].sort()).toEqual(['HIT', 'HIT', 'HIT', 'MISS'])
    expect(vllm.streams).toHaveLength(5)
  })

  test.each([
    [429, 'thrown'],
    [403, 'thrown'],
    [401, 'thrown'],
    [403, 'returned'],
  ])('what one may not do (%d, %s), the others who joined may', async (status, how) => {
    await using house = await open(['./keys.ts'], ['./refuses.ts'])
    const fields = { model: 'hold' }
    const headers = { 'x-managed': String(status), 'x-scope': 'all', 'x-wait': '5', 'x-how': how }
    const poor = house.open({ ...fields, ...asStream }, headers)
    await arrived(house, 1)
    const others = [asStream, {}, withUsage].map((how, i) => house.open({ ...fields, ...how }, { 'x-managed': `k${i}`, 'x-scope': 'all' }))
    await arrived(house, 4)
    // one more of the poor one's own: the same answer holds for it
    const twin = house.open(fields, headers)
    await atUpstream()
    vllm.release()
    await allEnded([poor, twin, ...others])
    expect(await statuses([poor, twin, ...others])).toEqual([status, status, 200, 200, 200])
    expect(vllm.streams).toMatchObject([{ ended: 'complete' }])
    const caches = await Promise.all(others.map(({ cache }) => cache))
    expect(caches.sort()).toEqual(['HIT', 'HIT', 'MISS'])
    expect(await house.report()).toMatchObject({ misses: 2, joins: how === 'thrown' ? 2 : 3, entries: 1 })
  })

  test('an error about fields that are no part of the key is not handed to those who wrote others', async () => {
    await using up = await openBehind(async ({ payload, released }) => {
      await released
      return payload.user === 'bad'
        ? Response.json({ error: { message: 'bad user' } }, { status: 400 })
        : streamed(eventsOf(['fine']).join(''))
    })
    const bad = up.house.open({ user: 'bad', ...asStream })
    await eventually(() => up.asked() === 1, 'the upstream has it')
    const others = [{ user: 'bad', ...asStream }, { user: 'good', ...asStream }, asStream].map(fields => up.house.open(fields))
    await arrived(up.house, 4)
    up.release()
    await eventually(() => up.asked() === 2, 'it is asked again')
    up.release()
    expect(await statuses([bad, ...others])).toEqual([400, 400, 200, 200])
    expect(up.asked()).toBe(2)
  })

  test('nobody joins a request that names a field twice: the backend may believe the other one', async () => {
    await using house = await open([], [])
    const asking = openClient(
      `${house.url}/v1/chat/completions`,
      '{"model":"hold","messages":[{"role":"user","content":"other"}],"messages":[{"role":"user","content":"hi"}]}',
    )
    await atUpstream()
    const honest = house.open({ model: 'hold' })
    await atUpstream(2)
    const third = house.open({ model: 'hold' })
    await arrived(house, 3)
    vllm.release()
    await allEnded([asking, honest, third])
    expect(third.text).toBe(honest.text)
    expect(honest.text).not.toBe(asking.text)
    expect(vllm.streams).toHaveLength(2)
  })

  test('a busy backend is busy for all: it is not asked once more for each of them', async () => {
    const busy = () => Response.json({ error: { message: 'busy' } }, { status: 429, headers: { 'retry-after': '60' } })
    await using up = await openBehind(({ released }) => released.then(busy), {
      files,
      yaml: { pipeline: pipelineWith({ above: ['./keys.ts'] }) },
    })
    const clients = ['1', '2', '3'].map(id => up.house.open({}, { 'x-managed': id, 'x-scope': 'all' }))
    await arrived(up.house, 3)
    await eventually(() => up.asked() === 1, 'the upstream has it')
    up.release()
    expect(await statuses(clients)).toEqual([429, 429, 429])
    expect(up.asked()).toBe(1)
  })
})
