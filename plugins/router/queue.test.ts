import { describe, expect, test } from 'bun:test'
import { fakeOpenai } from '../../core/testing/fake-openai.ts'
import type { FakeServer } from '../../core/testing/fake-server.ts'
import { comesTrue } from '../../core/testing/keyed.ts'
import { makeKey } from '../../core/testing/managed-key.ts'
import { type House, openHouse } from '../../core/testing/open-house.ts'

const open = (upstream: FakeServer, more: object = {}, model: object = {}) =>
  openHouse({
    yaml: {
      backends: { up: { type: 'openai-compatible', base_url: upstream.url, slots: 2 } },
      models: [
        { name: 'm', targets: [{ backend: 'up', model: 'hold', ...model }] },
        { name: 'echo', targets: [{ backend: 'up', model: 'echo', slots: 1 }] },
      ],
      ...more,
    },
  })
const chat = (
  { url }: House,
  { headers = {}, signal, ...fields }: { headers?: Readonly<Record<string, string>>; signal?: AbortSignal; [field: string]: unknown } = {},
) =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers,
    ...(signal && { signal }),
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }], max_tokens: 4, ...fields }),
  })
const inFlight = ({ serving }: House) => serving.gateway.exchanges.list().length
const phases = ({ serving }: House) => serving.gateway.exchanges.list().map(({ phase }) => phase)

describe('a model with slots', () => {
  test('gets so many requests at a time, and the others after them', async () => {
    await using upstream = await fakeOpenai({})
    await using house = await open(upstream)
    const answers = Array.from({ length: 6 }, () => chat(house))
    await upstream.until(() => upstream.requests.length === 2, 'two have gone')
    await comesTrue(() => inFlight(house) === 6 && !phases(house).includes('reading'), 'four wait')
    expect(phases(house).toSorted()).toEqual(['queued', 'queued', 'queued', 'queued', 'waiting', 'waiting'])
    for (const count of [4, 6]) {
      upstream.release()
      await upstream.until(() => upstream.requests.length === count, `${count} have gone`)
    }
    upstream.release()
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(6).fill(200))
  })

  test('that of a target counts before that of its backend', async () => {
    await using upstream = await fakeOpenai({})
    await using house = await open(upstream, {}, { slots: 1 })
    const answers = [chat(house), chat(house)]
    await upstream.until(() => upstream.requests.length === 1, 'one has gone')
    await comesTrue(() => phases(house).includes('queued'), 'one waits')
    upstream.release()
    await upstream.until(() => upstream.requests.length === 2, 'the other has gone')
    upstream.release()
    for (const { status } of await Promise.all(answers)) expect(status).toBe(200)
  })

  test('a stream has its place to its last byte, and so has one whose client leaves', async () => {
    await using upstream = await fakeOpenai({})
    await using house = await open(upstream, {}, { slots: 1, model: 'hold-mid' })
    const leaver = new AbortController()
    const first = await chat(house, { stream: true, signal: leaver.signal })
    expect(first.status).toBe(200)
    const second = chat(house, { stream: true })
    await comesTrue(() => phases(house).includes('queued'), 'the second waits')
    expect(upstream.requests).toHaveLength(1)
    leaver.abort()
    await upstream.until(() => upstream.requests.length === 2, 'the second has gone')
    await second.then(response => response.body?.cancel())
  })

  test('who leaves the queue leaves no trace', async () => {
    await using upstream = await fakeOpenai({})
    await using house = await open(upstream, {}, { slots: 1 })
    const stays = chat(house)
    await upstream.until(() => upstream.requests.length === 1, 'one has gone')
    const leaver = new AbortController()
    const left = chat(house, { signal: leaver.signal }).catch(() => 'left')
    await comesTrue(() => phases(house).includes('queued'), 'one waits')
    const last = chat(house)
    await comesTrue(() => phases(house).filter(phase => phase === 'queued').length === 2, 'two wait')
    leaver.abort()
    expect(await left).toBe('left')
    await comesTrue(() => inFlight(house) === 2, 'it is gone')
    upstream.release()
    await upstream.until(() => upstream.requests.length === 2, 'the last has gone')
    upstream.release()
    expect([(await stays).status, (await last).status]).toEqual([200, 200])
    expect(upstream.requests).toHaveLength(2)
  })

  test.each([
    ['is full', { max_length: 1 }, 503, 'queue_full'],
    ['has too many of one key', { max_length: 10, max_per_key: 1 }, 429, 'key_queue_full'],
  ])('whose queue %s: told at once, with a place and when to come again', async (_, queue, status, code) => {
    await using upstream = await fakeOpenai({})
    await using house = await open(upstream, { queue }, { slots: 1 })
    const going = [chat(house), chat(house)]
    await upstream.until(() => upstream.requests.length === 1, 'one has gone')
    await comesTrue(() => phases(house).includes('queued'), 'one waits')
    const refused = await chat(house, { stream: true })
    expect(refused.status).toBe(status)
    // biome-ignore lint/suspicious/noExplicitAny: what tests look at
    expect(((await refused.json()) as any).error.code).toBe(code)
    expect(Number(refused.headers.get('retry-after'))).toBeWithin(1, 61)
    expect(refused.headers.get('x-gatehouse-queue-position')).toBe('2')
    upstream.release()
    await upstream.until(() => upstream.requests.length === 2, 'the other has gone')
    upstream.release()
    await Promise.all(going)
  })

  test('waits no longer than it may', async () => {
    await using upstream = await fakeOpenai({})
    await using house = await open(upstream, { timeouts: { queue: '200ms' } }, { slots: 1 })
    const going = chat(house)
    await upstream.until(() => upstream.requests.length === 1, 'one has gone')
    const late = await chat(house)
    // biome-ignore lint/suspicious/noExplicitAny: what tests look at
    expect([late.status, ((await late.json()) as any).error.code]).toEqual([504, 'timeout_queue'])
    upstream.release()
    expect((await going).status).toBe(200)
  })

  test('says to those who want to know where they stand', async () => {
    await using upstream = await fakeOpenai({})
    await using house = await open(upstream, {}, { slots: 1 })
    const going = chat(house)
    await upstream.until(() => upstream.requests.length === 1, 'one has gone')
    const waiting = await chat(house, { stream: true, headers: { 'x-gatehouse-progress': '1' } })
    const reader = waiting.body?.pipeThrough(new TextDecoderStream() as never).getReader() as ReadableStreamDefaultReader<string>
    expect((await reader.read()).value).toBe(': progress {"state":"queued","queue_position":1}\n\n')
    upstream.release()
    await upstream.until(() => upstream.requests.length === 2, 'the other has gone')
    upstream.release()
    await going
    let text = ''
    for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value
    expect(text).toEndWith('data: [DONE]\n\n')
  })

  test('is shared by all names that lead there, and a reload changes its slots for those who wait', async () => {
    await using upstream = await fakeOpenai({})
    const yaml = (slots: number) => ({
      backends: { up: { type: 'openai-compatible', base_url: upstream.url } },
      models: ['m', 'other'].map(name => ({ name, targets: [{ backend: 'up', model: 'hold', slots }] })),
    })
    await using house = await openHouse({ yaml: yaml(1) })
    const answers = [chat(house), chat(house, { model: 'other' }), chat(house)]
    await comesTrue(() => phases(house).filter(phase => phase === 'queued').length === 2, 'two wait')
    await upstream.until(() => upstream.requests.length === 1, 'one has gone')
    await house.reload(yaml(3))
    answers.push(chat(house))
    await upstream.until(() => upstream.requests.length === 3, 'three have gone')
    upstream.release()
    await upstream.until(() => upstream.requests.length === 4, 'the fourth, too')
    upstream.release()
    for (const { status } of await Promise.all(answers)) expect(status).toBe(200)
  })
})

describe('fairness', () => {
  test('an agent in a loop does not keep another key waiting', async () => {
    await using upstream = await fakeOpenai({})
    await using house = await open(upstream)
    const [agent, person] = [await makeKey(house), await makeKey(house)]
    const order: string[] = []
    const ask = (who: string, headers: Readonly<Record<string, string>>) =>
      chat(house, { model: 'echo', headers }).then(({ status }) => order.push(`${who} ${status}`))
    const all = Array.from({ length: 40 }, () => ask('agent', agent.headers))
    await comesTrue(() => phases(house).filter(phase => phase === 'queued').length > 20, 'the agent fills the queue')
    const before = order.length
    all.push(ask('person', person.headers))
    await Promise.all(all)
    expect(order.indexOf('person 200') - before).toBeLessThan(10)
    expect(order).toHaveLength(41)
  })

  test('keys have the shares that the config says', async () => {
    await using upstream = await fakeOpenai({})
    await using house = await open(upstream, { queue: { weights: { 'team-*': 3 } } }, { slots: 1 })
    const [team, other] = [await makeKey(house, { name: 'team-a' }), await makeKey(house, { name: 'other' })]
    const going = chat(house, { headers: other.headers })
    await upstream.until(() => upstream.requests.length === 1, 'the place is taken')
    const all = Array.from({ length: 24 }, (_, at) =>
      chat(house, { headers: (at % 2 ? team : other).headers, user: at % 2 ? 'team' : 'other' }),
    )
    await comesTrue(() => phases(house).filter(phase => phase === 'queued').length === 24, 'all wait')
    for (let count = 2; count <= 17; count++) {
      upstream.release()
      await upstream.until(() => upstream.requests.length === count, `${count} have gone`)
    }
    const users = upstream.requests.slice(1).map(({ json }) => (json as { user: string }).user)
    expect(users.filter(user => user === 'team').length).toBeWithin(11, 14) // of sixteen, three quarters
    while (upstream.requests.length < 25) {
      const { length } = upstream.requests
      upstream.release()
      await upstream.until(() => upstream.requests.length > length, 'the next')
    }
    upstream.release()
    await Promise.all([going, ...all])
  })
})
