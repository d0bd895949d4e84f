import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import OpenAI from 'openai'
import { backendTypes, errorOf, type Served, says, serveFake } from './served.ts'

/** What each fake says when its model fails in the middle. */
const words = { ollama: 'boom', openai: 'The server had an error', vllm: 'Internal server error', llamacpp: 'Compute error' }

/** Types a client would not get past the compiler. */
const wrong = (value: unknown) => value as never

describe.each(backendTypes)('errors in front of %s', type => {
  let served: Served
  let client: OpenAI
  beforeAll(async () => {
    served = await serveFake(type)
    client = served.client
  })
  afterAll(() => served?.[Symbol.asyncDispose]())

  const chat = (request: object, options: object = {}) =>
    client.chat.completions.create({ model: 'echo', messages: says('an error'), ...request } as never, options)

  test.each([
    ['a temperature of another type', { temperature: 'a' }, 'temperature', 'Invalid request body'],
    ['no messages', { messages: undefined }, 'messages', 'Messages are required'],
    ['an empty list of messages', { messages: [] }, 'messages', 'Messages are required'],
    ['no model', { model: undefined }, 'model', 'Model is required'],
    ['an empty model', { model: '' }, 'model', 'Model is required'],
  ])('%s is a BadRequestError', async (_, request, param, message) => {
    for (const stream of [false, true]) {
      const error = await errorOf(chat({ ...request, stream }))
      expect(error).toBeInstanceOf(OpenAI.BadRequestError)
      expect(error).toMatchObject({ status: 400, type: 'invalid_request_error', param, message: `400 ${message}` })
    }
  })

  test('a model that is not there is a NotFoundError', async () => {
    // llama-server serves its one model whatever the name
    if (type === 'llamacpp') return
    for (const stream of [false, true]) {
      const error = await errorOf(chat({ model: 'missing', stream }))
      expect(error).toBeInstanceOf(OpenAI.NotFoundError)
      expect(error).toMatchObject({ status: 404, type: 'invalid_request_error', code: 'model_not_found' })
      expect(error.message).toContain('missing')
    }
  })

  test('a path that is not there is a NotFoundError, a wrong method an APIError', async () => {
    const nowhere = await errorOf(client.get('/nowhere'))
    expect(nowhere).toBeInstanceOf(OpenAI.NotFoundError)
    expect(nowhere.error).toMatchObject({ message: expect.any(String), type: 'invalid_request_error' })
    const method = await errorOf(client.get('/chat/completions'))
    expect(method).toBeInstanceOf(OpenAI.APIError)
    expect(method.status).toBe(405)
    expect(method.headers?.get('allow')).toContain('POST')
  })

  test('a backend that is busy is a RateLimitError with its Retry-After', async () => {
    for (const stream of [false, true]) {
      const error = await errorOf(chat({ model: 'busy', stream }))
      expect(error).toBeInstanceOf(OpenAI.RateLimitError)
      expect(error.type).toBe('rate_limit_error')
      expect(Number(error.headers?.get('retry-after'))).toBeGreaterThan(0)
    }
  })

  test('a backend that fails is an InternalServerError', async () => {
    for (const stream of [false, true]) {
      const error = await errorOf(chat({ model: 'boom', stream }))
      expect(error).toBeInstanceOf(OpenAI.InternalServerError)
      expect(error.type).toBe('server_error')
    }
  })

  test('a prompt that is too long is a BadRequestError in the words of the backend', async () => {
    const error = await errorOf(chat({ model: 'overflow' }))
    expect(error).toBeInstanceOf(OpenAI.BadRequestError)
    expect(error.message).toContain('9000')
  })

  test.each(['mid', 'break'])('a stream that fails raises an APIError, whatever came before: %s', async model => {
    const read = async () => {
      const stream = await client.chat.completions.create({ model, messages: says('fail in the middle'), stream: true })
      for await (const _ of stream);
    }
    const error = await errorOf(read())
    expect(error).toBeInstanceOf(OpenAI.APIError)
    expect(error.message).toContain(model === 'mid' ? words[type] : 'broke')
    expect(error.error).toMatchObject({ request_id: error.requestID as string })
  })

  test('the helper raises it too', async () => {
    const stream = client.chat.completions.stream({ model: 'mid', messages: says('fail in the helper') })
    expect(await errorOf(stream.finalChatCompletion())).toBeInstanceOf(OpenAI.APIError)
  })

  test('every error has its request id, the client’s own when it sent one', async () => {
    const error = await errorOf(chat({ temperature: wrong('a') }))
    expect(error.requestID).toMatch(/^[0-9a-f-]{36}$/)
    expect(error.error).toMatchObject({ request_id: error.requestID })
    const own = await errorOf(chat({ temperature: wrong('a') }, { headers: { 'X-Request-ID': 'mine-2' } }))
    expect(own.requestID).toBe('mine-2')
  })

  test('a page of a foreign origin gets a PermissionDeniedError from an open gateway', async () => {
    const page = served.clientWith({ defaultHeaders: { origin: 'https://evil.example' } })
    const error = await errorOf(page.models.list())
    expect(error).toBeInstanceOf(OpenAI.PermissionDeniedError)
    expect(error).toMatchObject({ status: 403, type: 'permission_error', code: 'origin_not_allowed' })
    const own = served.clientWith({ defaultHeaders: { origin: 'http://localhost:3000' } })
    expect((await own.models.list()).data.length).toBeGreaterThan(0)
  })

  test('a backend that is down is an InternalServerError, and none again when it is back', async () => {
    await using house = await serveFake(type)
    const { port } = house.fake
    await house.fake.stop()
    for (const stream of [false, true]) {
      const call = house.client.chat.completions.create({ model: 'echo', messages: says('anybody there?'), stream })
      const error = await errorOf(call as Promise<unknown>)
      expect(error).toBeInstanceOf(OpenAI.InternalServerError)
      expect(error).toMatchObject({ status: 502, type: 'server_error' })
      if (type === 'ollama') expect(error.message).toBe('502 Failed to connect to Ollama')
      expect(JSON.stringify(error.error)).not.toContain(String(port))
    }
    expect(await errorOf(house.client.models.list())).toMatchObject({ status: 502 })
    await house.restart()
    const { choices } = await house.client.chat.completions.create({ model: 'echo', messages: says('you are back') })
    expect(choices[0]?.finish_reason).toBe('stop')
  })
})

describe('a key', () => {
  let served: Served
  beforeAll(async () => {
    served = await serveFake('ollama', { env: { API_KEY: 'sk-right' } })
  })
  afterAll(() => served?.[Symbol.asyncDispose]())

  test('that is wrong is an AuthenticationError', async () => {
    const error = await errorOf(served.clientWith({ apiKey: 'sk-wrong' }).models.list())
    expect(error).toBeInstanceOf(OpenAI.AuthenticationError)
    expect(error).toMatchObject({ status: 401, type: 'invalid_request_error', code: 'invalid_api_key', message: '401 Invalid API key' })
    expect(error.requestID).toBeString()
    expect(served.fake.requests).toEqual([])
  })

  test('that is right opens everything the SDK does', async () => {
    const client = served.clientWith({ apiKey: 'sk-right' })
    expect((await client.models.list()).data.length).toBeGreaterThan(0)
    expect((await client.chat.completions.create({ model: 'echo', messages: says('let me in') })).choices).toHaveLength(1)
    const foreign = served.clientWith({ apiKey: 'sk-right', defaultHeaders: { origin: 'https://elsewhere.example' } })
    expect((await foreign.models.list()).data.length).toBeGreaterThan(0)
  })

  test('is not passed on, and the backend’s own is not asked of the client', async () => {
    await served.clientWith({ apiKey: 'sk-right' }).chat.completions.create({ model: 'echo', messages: says('whose key?') })
    expect(JSON.stringify(served.fake.requests.map(({ headers }) => headers))).not.toContain('sk-right')
  })
})

describe('the rate limit', () => {
  test('is a RateLimitError that says when to come back', async () => {
    await using served = await serveFake('ollama', { yaml: { rate_limit_rps: 1 } })
    const calls = await Promise.allSettled(Array.from({ length: 3 }, () => served.client.models.list()))
    const errors = calls.flatMap(call => (call.status === 'rejected' ? [call.reason] : []))
    expect(errors.length).toBeGreaterThan(0)
    for (const error of errors) {
      expect(error).toBeInstanceOf(OpenAI.RateLimitError)
      expect(error).toMatchObject({
        status: 429,
        type: 'rate_limit_error',
        code: 'rate_limit_exceeded',
        message: '429 Rate limit exceeded',
      })
      expect(error.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
      expect(error.headers.get('x-ratelimit-remaining-requests')).toBe('0')
    }
  })

  test('is waited out by the SDK itself', async () => {
    await using served = await serveFake('ollama', { yaml: { rate_limit_rps: 1 } })
    const patient = served.clientWith({ maxRetries: 5 })
    const pages = await Promise.all([patient.models.list(), patient.models.list()])
    expect(pages.every(({ data }) => data.length > 0)).toBe(true)
  })
})
