import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import OpenAI, { toFile } from 'openai'
import { readForm } from '../../core/testing/server/form.ts'
import { type BackendType, type Served, says, serveFake } from './served.ts'

/** Clients ask for `alias`; the server behind knows it as `echo`. */
const models = [{ name: 'alias', targets: [{ backend: 'home', model: 'echo' }] }]

/** The last request the fake got. */
const lastOf = ({ fake }: Served) => {
  const request = fake.requests.at(-1)
  if (!request) throw new Error('the fake got no request')
  return request
}

const withModels = (type: BackendType) => serveFake(type, { yaml: { models } })

describe.each(['openai', 'vllm', 'llamacpp', 'ollama'] as const)('an alias in front of %s', type => {
  let served: Served
  beforeAll(async () => {
    served = await withModels(type)
  })
  afterAll(() => served?.[Symbol.asyncDispose]())

  test('is listed and found', async () => {
    const { data } = await served.client.models.list()
    expect(data.map(({ id }) => id)).toContain('alias')
    expect((await served.client.models.retrieve('alias')).id).toBe('alias')
  })

  test('is the name in every answer', async () => {
    const { chat, embeddings, completions } = served.client
    expect((await chat.completions.create({ model: 'alias', messages: says('by another name') })).model).toBe('alias')
    expect(lastOf(served).json).toMatchObject({ model: 'echo' })
    for await (const chunk of await chat.completions.create({ model: 'alias', messages: says('streamed'), stream: true })) {
      expect(chunk.model).toBe('alias')
    }
    expect((await embeddings.create({ model: 'alias', input: 'by another name' })).model).toBe('alias')
    expect((await completions.create({ model: 'alias', prompt: 'by another name' })).model).toBe('alias')
  })
})

describe.each(['openai', 'vllm', 'llamacpp'] as const)('the Responses API of %s', type => {
  let served: Served
  beforeAll(async () => {
    served = await withModels(type)
  })
  afterAll(() => served?.[Symbol.asyncDispose]())

  test('whole', async () => {
    const response = await served.client.responses.create({ model: 'alias', input: 'a whole response' })
    expect(response).toMatchObject({ object: 'response', status: 'completed', model: 'alias', usage: { total_tokens: 18 } })
    expect(response.output_text).toMatch(/^n=\d+$/)
    expect(lastOf(served).json).toMatchObject({ model: 'echo', input: 'a whole response' })
  })

  test('streamed', async () => {
    const stream = await served.client.responses.create({ model: 'alias', input: 'a streamed response', stream: true })
    const types: string[] = []
    let text = ''
    let usage: unknown
    for await (const event of stream) {
      types.push(event.type)
      if (event.type === 'response.output_text.delta') text += event.delta
      if (event.type !== 'response.completed') continue
      usage = event.response.usage
      expect(event.response.model).toBe('alias')
    }
    expect(types[0]).toBe('response.created')
    expect(types.at(-1)).toBe('response.completed')
    expect(text).toMatch(/^n=\d+$/)
    expect(usage).toMatchObject({ input_tokens: 11, output_tokens: 7 })
  })

  test('left in the middle', async () => {
    served.fake.clear()
    const stream = await served.client.responses.create({ model: 'hold-mid', input: 'leave me', stream: true })
    for await (const event of stream) if (event.type === 'response.output_text.delta' && event.delta === 'two ') break
    await served.fake.until(() => served.fake.streams[0]?.ended === 'client-left', 'the end of the call')
  })

  // llama-server leaves out the `output_index` that the helper needs
  if (type === 'llamacpp') return
  test('by the helper', async () => {
    const response = await served.client.responses.stream({ model: 'alias', input: 'help me' }).finalResponse()
    expect(response.output_text).toMatch(/^n=\d+$/)
  })
})

describe.each(['openai', 'vllm'] as const)('a transcription by %s', type => {
  let served: Served
  beforeAll(async () => {
    served = await withModels(type)
  })
  afterAll(() => served?.[Symbol.asyncDispose]())
  // bytes that no text encoding would leave as they are
  const bytes = Buffer.from(Array.from({ length: 2000 }, (_, i) => i % 256))

  test('sends the file as it is, under the name of the backend', async () => {
    const file = await toFile(bytes, 'speech.wav', { type: 'audio/wav' })
    const { text } = await served.client.audio.transcriptions.create({ model: 'alias', file, language: 'en', temperature: 0.5 })
    expect(text).toBe('heard 2000 bytes of speech.wav')
    const form = await readForm(lastOf(served))
    expect(form?.fields).toMatchObject({ model: 'echo', language: 'en', temperature: '0.5' })
    expect(form?.files.file?.bytes.equals(bytes)).toBe(true)
    expect(lastOf(served).bytes.toString('latin1')).toContain('Content-Type: audio/wav')
  })

  test('finds the name of the model behind a file that looks like it', async () => {
    const trap = 'Content-Disposition: form-data; name="model"\r\n\r\nalias\r\n'
    for (const [name, content] of [
      ['model', bytes],
      ['speech.wav', Buffer.from(trap)],
    ] as const) {
      const file = await toFile(content, name)
      await served.client.audio.transcriptions.create({ file, model: 'alias' })
      const form = await readForm(lastOf(served))
      expect(form?.fields).toEqual({ model: 'echo' })
      expect(form?.files.file?.bytes.equals(content)).toBe(true)
    }
  })

  test('of a model nobody has is a NotFoundError', async () => {
    const file = await toFile(bytes, 'speech.wav')
    const call = served.client.audio.transcriptions.create({ model: 'missing', file })
    expect(await call.catch(error => error)).toBeInstanceOf(OpenAI.NotFoundError)
  })

  // vLLM answers in JSON whatever it is asked for
  if (type === 'vllm') return
  test('as plain text', async () => {
    const file = await toFile(bytes, 'speech.wav')
    const text = await served.client.audio.transcriptions.create({ model: 'echo', file, response_format: 'text' })
    expect(String(text)).toContain('heard 2000 bytes')
  })
})

describe('what else is passed on', () => {
  test('speech, as bytes', async () => {
    await using served = await withModels('openai')
    const speech = await served.client.audio.speech.create({ model: 'alias', voice: 'alloy', input: 'good evening' })
    expect(speech.headers.get('content-type')).toBe('audio/mpeg')
    const bytes = Buffer.from(await speech.arrayBuffer())
    expect(bytes.subarray(0, 4)).toEqual(Buffer.from([0x49, 0x44, 0x33, 0x04]))
    expect(bytes.toString('latin1')).toEndWith('good evening')
  })

  test('images', async () => {
    await using served = await withModels('openai')
    const { data } = await served.client.images.generate({ model: 'alias', prompt: 'a gate', n: 2 })
    expect(data).toHaveLength(2)
    expect(data?.[0]?.b64_json).toStartWith('iVBOR')
    expect(lastOf(served).json).toMatchObject({ model: 'echo', prompt: 'a gate' })
  })

  test.each(['vllm', 'llamacpp'] as const)('reranking by %s', async type => {
    await using served = await withModels(type)
    const body = { model: 'alias', query: 'which is long?', documents: ['short', 'a good deal longer'], top_n: 1 }
    const { results, model } = await served.client.post<{ results: { index: number }[]; model: string }>('/rerank', { body })
    expect(results.map(({ index }) => index)).toEqual([1])
    expect(model).toBe('alias')
    expect(lastOf(served).json).toMatchObject({ model: 'echo' })
  })

  test('nothing to a backend that does not speak it', async () => {
    await using served = await withModels('ollama')
    const error = await served.client.images.generate({ model: 'echo', prompt: 'a gate' }).catch(error => error)
    expect(error).toBeInstanceOf(OpenAI.BadRequestError)
    expect(error.code).toBe('unsupported_operation')
  })
})

describe('fields', () => {
  const harmless = { user: 'ada', metadata: { team: 'a' }, store: false, parallel_tool_calls: true } as const

  test('that Ollama has no place for are named in a header', async () => {
    await using served = await serveFake('ollama')
    for (const stream of [false, true]) {
      const request = { model: 'echo', messages: says('extras'), ...harmless, stream }
      const { response } = await served.client.chat.completions.create(request).withResponse()
      const ignored = response.headers.get('x-gatehouse-ignored')?.split(', ') ?? []
      expect(ignored).toContain('user')
      expect(ignored.sort()).toEqual(['metadata', 'parallel_tool_calls', 'store', 'user'])
      await response.body?.cancel().catch(() => {})
    }
  })

  test('that every backend knows are not', async () => {
    await using served = await serveFake('ollama')
    const request = { model: 'echo', messages: says('no extras'), temperature: 0, max_tokens: 5, seed: 1, stop: 'x', top_p: 0.5 }
    const { response } = await served.client.chat.completions.create(request).withResponse()
    expect(response.headers.get('x-gatehouse-ignored')).toBeNull()
    expect(lastOf(served).json).toMatchObject({ options: { temperature: 0, num_predict: 5, seed: 1, stop: ['x'], top_p: 0.5 } })
  })

  test('reach a backend that speaks OpenAI untouched', async () => {
    await using served = await serveFake('openai')
    await served.client.chat.completions.create({ model: 'echo', messages: says('extras'), ...harmless, n: 1 })
    expect(lastOf(served).json).toEqual({ model: 'echo', messages: says('extras'), ...harmless, n: 1 })
  })

  test('that Ollama cannot fulfil are named in the message: n', async () => {
    await using served = await serveFake('ollama')
    const call = served.client.chat.completions.create({ model: 'echo', messages: says('two of them'), n: 2 })
    expect((await call.catch(error => error)).message).toContain('`n`')
  })

  test.each([
    ['n', { n: 2 }],
    ['logit_bias', { logit_bias: { '1': 5 } }],
    ['modalities', { modalities: ['audio'] }],
  ])('that would change the answer are a BadRequestError of Ollama: %s', async (param, extra) => {
    await using served = await serveFake('ollama')
    const call = served.client.chat.completions.create({ model: 'echo', messages: says('more'), ...extra } as never)
    const error = await (call as Promise<unknown>).catch(error => error)
    expect(error).toBeInstanceOf(OpenAI.BadRequestError)
    expect(error).toMatchObject({ status: 400, param, type: 'invalid_request_error' })
    expect(served.fake.streams).toEqual([])
  })
})
