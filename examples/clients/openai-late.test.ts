import { describe, expect, test } from 'bun:test'
import OpenAI from 'openai'
import type { ChatCompletionChunk } from 'openai/resources/chat/completions'
import { backendTypes, errorOf, type Served, says, serveAnswer, serveFake } from './served.ts'

/** The text of a stream, and the error it ended with. */
async function read(stream: AsyncIterable<ChatCompletionChunk>, each: () => void = () => {}) {
  let text = ''
  const all = async () => {
    for await (const { choices } of stream) {
      text += choices[0]?.delta.content ?? ''
      each()
    }
  }
  const error = await all().then(
    () => undefined,
    error => error,
  )
  return { text, error }
}

const open = ({ client }: Served, model: string, signal?: AbortSignal) =>
  client.chat.completions.create({ model, messages: says(`a stream of ${model}`), stream: true }, { signal: signal ?? null })

/** The first words of each dialect, and an error behind them. */
const dialects = {
  ollama: {
    type: 'application/x-ndjson',
    words: '{"model":"any","message":{"role":"assistant","content":"one"},"done":false}\n',
    error: '{"error":"boom"}\n',
  },
  openai: { error: 'data: {"error":{"message":"boom","type":"server_error","param":null,"code":null}}\n\n' },
  vllm: { error: 'data: {"error":{"message":"boom","type":"InternalServerError","param":null,"code":500}}\n\n' },
  llamacpp: { error: 'error: {"code":500,"message":"boom","type":"server_error"}\n\n' },
}
const sse = {
  type: 'text/event-stream',
  words: `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"any","choices":[{"index":0,"delta":{"content":"one"}}]}\n\n`,
}

describe('an error behind the first words is an APIError in the words of the backend', () => {
  test.each(backendTypes)('%s', async type => {
    const dialect = { ...sse, ...dialects[type] }
    await using served = await serveAnswer(type, async exchange => {
      exchange.open(200, { 'content-type': dialect.type })
      await exchange.send(dialect.words)
      await exchange.hold()
      await exchange.send(dialect.error)
      exchange.end()
    })
    const { text, error } = await read(await open(served, 'any'), served.fake.release)
    expect(text).toBe('one')
    expect(error).toBeInstanceOf(OpenAI.APIError)
    expect(error).toMatchObject({ message: 'boom', type: 'server_error' })
    expect(error.requestID).toBeString()
    expect(error.error.request_id).toBe(error.requestID)
  })

  test('and so is a backend that dies', async () => {
    await using served = await serveFake('openai')
    const stream = await open(served, 'hold-mid')
    let chunks = 0
    const { text, error } = await read(stream, () => {
      // the role, and the two words
      if (++chunks === 3) served.fake.stop()
    })
    expect(text).toBe('one two ')
    expect(error).toBeInstanceOf(OpenAI.APIError)
    expect(error.type).toBe('server_error')
  })
})

describe('heartbeats, while a backend is silent', () => {
  const often = { yaml: { heartbeat: '20ms' } }

  test.each(backendTypes)('are no words: %s', async type => {
    await using served = await serveFake(type, often)
    // only a heartbeat can have brought the headers
    const stream = await open(served, 'hold')
    served.fake.release()
    const { text, error } = await read(stream)
    expect(error).toBeUndefined()
    expect(text).toMatch(/^n=\d+$/)
  })

  test('do not hide an error', async () => {
    await using served = await serveAnswer(
      'openai',
      async exchange => {
        await exchange.hold()
        exchange.reply(400, { error: { message: 'boom', type: 'invalid_request_error', param: 'messages', code: null } })
      },
      often,
    )
    const stream = await open(served, 'any')
    served.fake.release()
    const { text, error } = await read(stream)
    expect(text).toBe('')
    expect(error).toBeInstanceOf(OpenAI.APIError)
    expect(error).toMatchObject({ message: 'boom', type: 'invalid_request_error', param: 'messages' })
    expect(error.error.request_id).toBe(error.requestID)
  })

  test('do not keep the call of a client that left', async () => {
    await using served = await serveFake('openai', often)
    const leaving = new AbortController()
    const stream = await open(served, 'hold', leaving.signal)
    leaving.abort()
    expect(await read(stream)).toEqual({ text: '', error: undefined })
    await served.fake.until(() => served.fake.streams[0]?.ended === 'client-left', 'the end of the call')
  })

  test('are not sent to a client that wants a whole answer', async () => {
    await using served = await serveFake('openai', often)
    const answer = served.client.chat.completions.create({ model: 'silent:100', messages: says('take your time') })
    expect((await answer).choices[0]?.message.content).toMatch(/^n=\d+$/)
    expect(await errorOf(served.client.chat.completions.create({ model: 'missing', messages: says('nobody') }))).toMatchObject({
      status: 404,
    })
  })
})
