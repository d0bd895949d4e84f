import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import OpenAI from 'openai'
import { backendTypes, type Served, says, serveFake } from './served.ts'

/** Models that wait before the headers, before the first token and in the middle, and whether a stream was asked for. */
const unanswered = [
  ['hold', false],
  ['hold', true],
  ['hold-first', false],
  ['hold-first', true],
  ['hold-mid', false],
] as const

describe.each(backendTypes)('a client that leaves, in front of %s', type => {
  let served: Served
  let client: OpenAI
  beforeAll(async () => {
    served = await serveFake(type)
    client = served.client
  })
  afterAll(() => served?.[Symbol.asyncDispose]())

  const begun = (model: string) => served.fake.until(() => served.fake.streams.some(stream => stream.model === model), `a call of ${model}`)
  const closed = (model: string) =>
    served.fake.until(
      () => served.fake.streams.some(stream => stream.model === model && stream.ended === 'client-left'),
      `the end of the call of ${model}`,
    )

  test.each(unanswered)('before there was an answer: %s, streamed: %p', async (model, stream) => {
    served.fake.clear()
    const leaving = new AbortController()
    const call = client.chat.completions.create({ model, messages: says('leave me'), stream }, { signal: leaving.signal })
    const outcome = call.then(
      () => undefined,
      error => error,
    )
    await begun(model)
    leaving.abort()
    expect(await outcome).toBeInstanceOf(OpenAI.APIUserAbortError)
    await closed(model)
  })

  describe('in the middle of a stream', () => {
    const open = async (signal?: AbortSignal) => {
      served.fake.clear()
      return client.chat.completions.create(
        { model: 'hold-mid', messages: says('leave in the middle'), stream: true },
        { signal: signal ?? null },
      )
    }

    test('by an abort', async () => {
      const leaving = new AbortController()
      let text = ''
      for await (const { choices } of await open(leaving.signal)) {
        text += choices[0]?.delta.content ?? ''
        if (text === 'one two ') leaving.abort()
      }
      // the SDK ends the loop of an aborted stream without an error
      expect(text).toBe('one two ')
      await closed('hold-mid')
    })

    test('by a break out of the loop', async () => {
      for await (const { choices } of await open()) {
        if (choices[0]?.delta.content === 'two ') break
      }
      await closed('hold-mid')
    })

    test('by the abort of the helper', async () => {
      served.fake.clear()
      const stream = client.chat.completions.stream({ model: 'hold-mid', messages: says('help me leave') })
      stream.on('content', (_, text) => {
        if (text === 'one two ') stream.abort()
      })
      const error = await stream.done().catch(error => error)
      expect(error).toBeInstanceOf(OpenAI.APIUserAbortError)
      await closed('hold-mid')
    })

    test('by the abort of one that would never end', async () => {
      served.fake.clear()
      const leaving = new AbortController()
      const request = { model: 'endless', messages: says('never stop'), stream: true } as const
      for await (const _ of await client.chat.completions.create(request, { signal: leaving.signal })) leaving.abort()
      await closed('endless')
    })
  })

  test('leaves nothing behind in the gateway', async () => {
    const { exchanges } = served.house.serving.gateway
    while (exchanges.list().length > 0) await Bun.sleep(1)
  })
})

test('a client that waits no longer', async () => {
  await using served = await serveFake('ollama')
  const call = served.client.chat.completions.create({ model: 'hold', messages: says('too late') }, { timeout: 1000 })
  expect(await call.catch(error => error)).toBeInstanceOf(OpenAI.APIConnectionTimeoutError)
  await served.fake.until(() => served.fake.streams[0]?.ended === 'client-left', 'the end of the call')
})
