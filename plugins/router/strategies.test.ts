import { describe, expect, test } from 'bun:test'
import { fakeOpenai } from '../../core/testing/fake-openai.ts'
import type { FakeServer } from '../../core/testing/fake-server.ts'
import { standIn } from '../../core/testing/model-process/stand-in.ts'
import { type House, openHouse } from '../../core/testing/open-house.ts'

const chat = async ({ url }: House, fields: object = {}, headers: Readonly<Record<string, string>> = {}) => {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }], ...fields }),
  })
  await response.text()
  return response
}
const admin = { authorization: 'Bearer sk-admin-0000' }
const backends = (one: FakeServer, other: FakeServer) => ({
  one: { type: 'openai-compatible', base_url: one.url },
  other: { type: 'openai-compatible', base_url: other.url },
})
/** A model with two places that differ in nothing. */
const open = (one: FakeServer, other: FakeServer, strategy: string, more: object = {}, first: object = {}, second: object = {}) =>
  openHouse({
    yaml: {
      backends: backends(one, other),
      models: [
        {
          name: 'm',
          strategy,
          targets: [
            { backend: 'one', model: 'echo', ...first },
            { backend: 'other', model: 'echo', ...second },
          ],
        },
      ],
      router: { retries: 0 },
      ...more,
    },
  })

describe('a strategy', () => {
  test('weighted: by weight, and nothing to a place of weight 0 as long as there is another', async () => {
    await using one = await fakeOpenai({})
    await using other = await fakeOpenai({})
    await using house = await open(one, other, 'weighted', {}, { weight: 3 }, { weight: 1 })
    for (let at = 0; at < 200; at++) expect((await chat(house)).status).toBe(200)
    expect(one.requests.length).toBeWithin(110, 190) // 150 are expected, six in either direction are usual
    expect(one.requests.length + other.requests.length).toBe(200)
  })

  test('least-busy: where there is less to do', async () => {
    await using one = await fakeOpenai({})
    await using other = await fakeOpenai({})
    await using house = await open(one, other, 'least-busy', {}, { model: 'hold' }, { model: 'hold' })
    const answers = Array.from({ length: 8 }, () => chat(house))
    await one.until(() => one.requests.length === 4, 'half of them')
    await other.until(() => other.requests.length === 4, 'the other half')
    one.release()
    other.release()
    for (const { status } of await Promise.all(answers)) expect(status).toBe(200)
  })

  test('sticky: the session stays, by header, by name, and by its prompt', async () => {
    await using one = await fakeOpenai({})
    await using other = await fakeOpenai({})
    await using house = await open(one, other, 'sticky', { router: { retries: 0, session_header: 'x-chat' } })
    const placeOf = async (fields: object, headers: Readonly<Record<string, string>> = {}) => {
      const before = one.requests.length
      await chat(house, fields, headers)
      return one.requests.length > before ? 'one' : 'other'
    }
    const used = new Set<string>()
    for (let session = 0; session < 12; session++) {
      const headers = { 'x-chat': `session ${session}` }
      const place = await placeOf({}, headers)
      used.add(place)
      for (let turn = 0; turn < 3; turn++) {
        const messages = Array.from({ length: turn + 1 }, (_, at) => ({ role: 'user', content: `turn ${at}` }))
        expect(await placeOf({ messages }, headers)).toBe(place)
      }
      const user = await placeOf({ user: `user ${session}` })
      expect(await placeOf({ user: `user ${session}`, messages: [{ role: 'user', content: 'else' }] })).toBe(user)
      const begin = [{ role: 'user', content: `a question ${session}` }]
      const prompt = await placeOf({ messages: begin })
      expect(await placeOf({ messages: [...begin, { role: 'assistant', content: 'x' }, { role: 'user', content: 'and?' }] })).toBe(prompt)
    }
    expect(used.size).toBe(2)
  })

  test('warm: who runs already is preferred', async () => {
    using stand = standIn()
    await using house = await openHouse({
      yaml: {
        llama_server_path: stand.executable,
        port_range_start: 43_000,
        models: [
          ...['a', 'b'].map(name => ({ name, model_path: stand.model(name) })),
          { name: 'm', strategy: 'warm', targets: ['a', 'b'].map(model => ({ backend: 'processes', model })) },
        ],
      },
    })
    await chat(house, { model: 'b' })
    for (let at = 0; at < 3; at++) expect((await chat(house, { seed: at })).status).toBe(200)
    expect(stand.starts('a')).toHaveLength(0)
  })
})

describe('the breaker', () => {
  test('leaves a place alone that fails, and takes it back once it answers', async () => {
    await using one = await fakeOpenai({})
    await using other = await fakeOpenai({})
    const settings = { breaker: { failures: 3, cooldown: '300ms' }, admin: { api_key: 'sk-admin-0000' } }
    await using house = await open(one, other, 'failover', settings, { model: 'boom' })
    for (let at = 0; at < 10; at++) expect((await chat(house)).status).toBe(200)
    expect(one.requests).toHaveLength(3)
    expect(other.requests).toHaveLength(10)
    const told = async (path: string) => (await fetch(house.url + path, { headers: admin })).json() as Promise<Record<string, unknown>>
    expect((await told('/health')).breakers).toMatchObject({ 'one/boom': { state: 'open', failures_in_a_row: 3, openings: 1 } })
    expect((await told('/admin/targets')).data).toMatchObject([
      { target: 'one/boom', requests: 3, failures: 3, in_flight: 0, breaker: { state: 'open' } },
      { target: 'other/echo', requests: 10, failures: 0, breaker: { state: 'closed' } },
    ])
    await Bun.sleep(400)
    for (let at = 0; at < 5; at++) expect((await chat(house)).status).toBe(200)
    // the one that tried it; /health asks elsewhere
    expect(one.requests.filter(({ method }) => method === 'POST')).toHaveLength(4)
  })

  test('is no use where there is only one place: it is asked all the same', async () => {
    await using one = await fakeOpenai({})
    await using house = await openHouse({
      yaml: { backends: { one: { type: 'openai-compatible', base_url: one.url } }, breaker: { failures: 1 }, router: { retries: 0 } },
    })
    for (let at = 0; at < 5; at++) expect((await chat(house, { model: 'boom' })).status).toBe(502)
    expect(one.requests).toHaveLength(5)
  })

  test('stays as it is over a reload', async () => {
    await using one = await fakeOpenai({})
    await using other = await fakeOpenai({})
    const settings = { breaker: { failures: 2, cooldown: '1m' } }
    await using house = await open(one, other, 'failover', settings, { model: 'boom' })
    for (let at = 0; at < 4; at++) await chat(house)
    expect(one.requests).toHaveLength(2)
    const target = (backend: string, model: string) => ({ backend, model })
    await house.reload({
      backends: backends(one, other),
      models: [{ name: 'm', aliases: ['n'], targets: [target('one', 'boom'), target('other', 'echo')] }],
      ...settings,
    })
    expect((await chat(house)).status).toBe(200)
    expect(one.requests).toHaveLength(2)
  })
})

describe('an alias', () => {
  test('may change requests, after its target did', async () => {
    await using one = await fakeOpenai({})
    await using house = await openHouse({
      yaml: {
        backends: { one: { type: 'openai-compatible', base_url: one.url } },
        models: [
          {
            name: 'm',
            aliases: ['plain', { name: 'creative', set: { temperature: 1.5 }, strip: ['seed'] }],
            targets: [{ backend: 'one', model: 'echo', set: { temperature: 0.1, top_p: 0.5 } }],
          },
        ],
      },
    })
    for (const model of ['m', 'plain', 'creative']) expect((await chat(house, { model, seed: 1 })).status).toBe(200)
    expect(one.requests.map(({ json }) => json)).toMatchObject([
      { temperature: 0.1, top_p: 0.5, seed: 1 },
      { temperature: 0.1, top_p: 0.5, seed: 1 },
      { temperature: 1.5, top_p: 0.5 },
    ])
    expect(one.requests[2]?.json).not.toHaveProperty('seed')
  })
})
