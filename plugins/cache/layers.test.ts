import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import type { FakeServer } from '../../core/testing/fake-server.ts'
import { fakeVllm } from '../../core/testing/fake-vllm.ts'
import { allEnded, arrived, type Client, eventually } from './testing/client.ts'
import { type CachingHouse, openCachingHouse, pipelineWith } from './testing/house.ts'
import { borrows, forgetsStreams, holdsBack, runsApart, says, witness } from './testing/plugins.ts'
import { blocksOf, usageBlockOf, withoutUsage } from './testing/streams.ts'

let vllm: FakeServer
beforeAll(async () => {
  vllm = await fakeVllm()
})
beforeEach(() => vllm.clear())
afterAll(() => vllm.stop())

const files = {
  'above.ts': witness('above'),
  'below.ts': witness('below'),
  'borrows.ts': borrows,
  'forgets.ts': forgetsStreams,
  'says.ts': says,
  'holds.ts': holdsBack,
  'apart.ts': runsApart,
}
const yamlOf = (above: readonly string[], below: readonly string[], more: object = {}) => ({
  backends: { up: { type: 'vllm', base_url: vllm.url } },
  router: { retries: 0 },
  pipeline: pipelineWith({ above, below }),
  cache: {},
  ...more,
})
const open = (above: readonly string[], below: readonly string[], more: object = {}) =>
  openCachingHouse({ files, yaml: yamlOf(above, below, more) })
const asStream = { stream: true }
const withUsage = { stream: true, stream_options: { include_usage: true } }
const atUpstream = (count = 1) => vllm.until(() => vllm.streams.length === count, `${count} at the upstream`)
const statuses = (clients: readonly Client[]) => Promise.all(clients.map(async ({ response }) => (await response).status))
const linesOf = (house: CachingHouse, message: string) => house.lines.filter(line => line.message === message)

describe('a layer below', () => {
  test.each([
    ['complete', 'hold-mid'],
    ['failed', 'hold-mid'],
    ['aborted', 'hold-mid'],
  ])('sees the generation and not a connection: %s', async (outcome, model) => {
    await using house = await open(['./above.ts'], ['./below.ts'])
    const fields = { model, ...withUsage }
    const leader = house.open(fields, { 'x-request-id': 'leader' })
    await leader.until(1)
    const other = house.open({ model, ...asStream }, { 'x-request-id': 'other' })
    await other.until(leader.bytes.length)
    leader.leave()
    await arrived(house, 1)
    await eventually(() => linesOf(house, 'above').length === 2, 'the first is over')
    expect(linesOf(house, 'below')).toEqual([])
    if (outcome === 'complete') vllm.release()
    else if (outcome === 'aborted') other.leave()
    else await vllm.stop()
    await other.ended
    await eventually(() => linesOf(house, 'below').length === 2, 'it is over')
    if (outcome === 'failed') vllm = await fakeVllm({ port: vllm.port })
    const [end, settled] = linesOf(house, 'below')
    expect([end, settled]).toMatchObject([
      { what: 'end', outcome },
      { what: 'settled', outcome },
    ])
    const seen = String(end?.bytes)
    const got = outcome === 'failed' ? blocksOf(other.text).slice(0, -1).join('') : other.text
    expect(withoutUsage(seen)).toBe(got)
    if (outcome === 'complete') expect(settled?.usage).toEqual({ promptTokens: 11, completionTokens: 7 })
    const above = linesOf(house, 'above').filter(({ what }) => what === 'settled')
    expect(above).toMatchObject([
      { id: 'leader', outcome: 'aborted' },
      {
        id: 'other',
        outcome: outcome === 'complete' || outcome === 'aborted' ? outcome : 'failed',
        usage: { promptTokens: 0, completionTokens: 0 },
      },
    ])
  })

  test('sees that the usage is asked for, and one above does not', async () => {
    await using house = await open(['./above.ts'], ['./below.ts'])
    expect(usageBlockOf((await house.chat({ ...asStream, stream_options: { include_obfuscation: false } })).body)).toBeUndefined()
    const optionsOf = (name: string) => linesOf(house, name).find(({ what }) => what === 'settled')?.options
    await eventually(() => optionsOf('above') !== undefined, 'it is over')
    expect(optionsOf('below')).toEqual({ include_obfuscation: false, include_usage: true })
    expect(optionsOf('above')).toEqual({ include_obfuscation: false })
    expect(vllm.requests.at(-1)?.json).toMatchObject({ stream_options: { include_obfuscation: false, include_usage: true } })
  })

  test.each(['above', 'below'])('and a plugin %s that runs the layers apart itself: each run is its own, and ends once', async where => {
    const [above, below] = where === 'above' ? [['./apart.ts'], ['./below.ts']] : [[], ['./apart.ts', './below.ts']]
    await using house = await open(above as string[], below as string[])
    for (const content of ['a', 'b']) await house.chat({ messages: [{ role: 'user', content }] })
    expect(vllm.requests.map(({ json }) => (json as { messages: { content: string }[] }).messages[0]?.content)).toEqual(
      where === 'above' ? ['another question'] : ['another question', 'another question'],
    )
    const settled = linesOf(house, 'below').filter(({ what }) => what === 'settled')
    expect(settled.map(({ outcome }) => outcome)).toEqual(where === 'above' ? ['complete'] : ['complete', 'complete'])
  })

  test('that takes something late gives it back all the same', async () => {
    await using house = await open([], ['./borrows.ts'])
    const client = house.open({ model: 'echo' })
    await eventually(() => linesOf(house, 'waits').length === 1, 'the layer has it')
    client.leave()
    await eventually(() => linesOf(house, 'given back').length === 1, 'it gives back what it took')
    expect(linesOf(house, 'given back')).toMatchObject([{ outcome: 'aborted' }])
    expect(linesOf(house, 'seen')).toMatchObject([{ outcome: 'aborted' }])
    await eventually(() => vllm.streams.every(({ ended }) => ended !== undefined), 'nothing runs')
  })
})

test.each(['{"choices":', '{"ok":true}', '[]', 'null'])(
  'a layer below that answers a stream with %s is passed on, every time',
  async said => {
    await using house = await open([], ['./says.ts'])
    const seen = []
    for (const how of [{}, asStream, asStream, {}]) {
      const { status, body, cache } = await house.chat(how, { 'x-say': said })
      expect([status, body]).toEqual([200, said])
      seen.push(cache)
    }
    expect(seen).toEqual(['MISS', 'MISS', 'MISS', 'HIT'])
  },
)

test('a layer above that forgets a stream holds nothing up', async () => {
  await using house = await open(['./forgets.ts'], [])
  const fields = { model: 'hold-mid', ...asStream }
  expect((await house.chat(fields, { 'x-forget': '1' })).body).toBe('{"instead":true}')
  await vllm.until(() => vllm.streams[0]?.ended === 'client-left', 'the upstream is let go')
  const next = house.open(fields)
  await next.until(100)
  vllm.release()
  expect([await next.ended, await next.cache]).toEqual(['complete', 'MISS'])
})

test('a layer above that holds a stream back does not keep the upstream waiting when the client leaves', async () => {
  await using house = await open(['./holds.ts'], [])
  const client = house.open({ model: 'hold-mid', ...asStream })
  await eventually(() => linesOf(house, 'holds').length === 1, 'the layer has it')
  client.leave()
  await vllm.until(() => vllm.streams[0]?.ended === 'client-left', 'the upstream is let go')
  expect(linesOf(house, 'lets go')).toEqual([])
})

describe('the house', () => {
  test.each([{ ttl: '2h' }, { max_bytes: '1KB' }, { enabled: false }])(
    'reloads in the middle of a shared stream: it goes on, and newcomers begin their own (%j)',
    async cache => {
      await using house = await open([], [])
      const fields = { model: 'hold-mid', ...withUsage }
      const clients = [house.open(fields), house.open({ model: 'hold-mid' })]
      await clients[0]?.until(100)
      await arrived(house, 2)
      await house.reload({ ...yamlOf([], []), cache })
      const newcomer = house.open(fields)
      await atUpstream(2)
      clients[0]?.leave()
      await arrived(house, 2)
      vllm.release()
      expect(await allEnded([...clients, newcomer])).toEqual(['left', 'complete', 'complete'])
      expect(vllm.streams.map(({ ended }) => ended)).toEqual(['complete', 'complete'])
      if (cache.ttl) expect(await house.chat({ model: 'hold-mid' })).toMatchObject({ cache: 'HIT' })
    },
  )

  test('stops in the middle of a shared stream: each gets its last word, and the upstream is let go', async () => {
    const house = await open([], [])
    const fields = { model: 'hold-mid' }
    const clients = [withUsage, {}, asStream].map((how, i) => house.open({ ...fields, ...how }, { 'x-request-id': `stopped-${i}` }))
    await arrived(house, 3)
    await atUpstream()
    await clients[0]?.until(100)
    await house.stop()
    await allEnded(clients)
    await vllm.until(() => vllm.streams[0]?.ended === 'client-left', 'the upstream is let go')
    for (const [i, { text }] of clients.entries()) {
      const last = JSON.parse((blocksOf(text).at(-1) as string).replace('data: ', ''))
      expect(last.error).toMatchObject({ code: 'stopping', request_id: `stopped-${i}` })
    }
  })

  test('ends one of them for taking too long, or because the operator says so: the others go on', async () => {
    await using house = await open([], [], { timeouts: { total: '900ms' } })
    const fields = { model: 'hold-mid', ...asStream }
    const first = house.open(fields)
    await first.until(100)
    await Bun.sleep(450)
    const [doomed, last] = [house.open(fields, { 'x-request-id': 'doomed' }), house.open({ ...fields, stream: false })]
    await arrived(house, 3)
    expect(house.serving.gateway.exchanges.cancel('doomed')).toBe(true)
    await allEnded([first, doomed])
    expect(first.text).toContain('timeout_total')
    expect(doomed.text).toContain('"cancelled"')
    expect(vllm.streams[0]?.ended).toBeUndefined()
    vllm.release()
    expect([await last.ended, await statuses([last])]).toEqual(['complete', [200]])
    expect(vllm.streams).toMatchObject([{ ended: 'complete' }])
  })

  test('sends heartbeats to those who join, and tells them what they get', async () => {
    await using house = await open([], [], { heartbeat: '50ms' })
    const clients = [asStream, asStream].map(how => house.open({ model: 'hold', ...how }))
    await Promise.all(clients.map(client => client.until(1)))
    expect((await Promise.all(clients.map(({ cache }) => cache))).sort()).toEqual(['HIT', 'MISS'])
    vllm.release()
    await allEnded(clients)
    const texts = clients.map(({ text }) => text.replaceAll(': keep-alive\n\n', ''))
    expect(texts[0]).toEndWith('data: [DONE]\n\n')
    expect(texts[1]).toBe(texts[0] as string)
  })
})
