import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import OpenAI from 'openai'
import { apiKey, openPair, type Pair } from './harness.ts'
import { blocksOf, chatBody, chunksOf } from './wire.ts'

setDefaultTimeout(30_000)

let pair: Pair
beforeAll(async () => {
  pair = await openPair()
})
afterAll(() => pair?.[Symbol.asyncDispose]())

const stream = true

describe('A51 a stream', () => {
  test('is made of chunks of one answer, and ends with [DONE]', async () => {
    const { status, text } = await pair.chat({ stream })
    expect(status).toBe(200)
    expect(text).toEndWith('data: [DONE]\n\n')
    expect(blocksOf(text).filter(block => !/^data: (\{.*\}|\[DONE\])$/.test(block))).toEqual([])
    const chunks = chunksOf(text)
    const choices = chunks.flatMap(({ choices }) => choices)
    expect(chunks.length).toBeGreaterThan(2)
    expect(new Set(chunks.map(({ object }) => object))).toEqual(new Set(['chat.completion.chunk']))
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1)
    expect(chunks[0]?.id).toStartWith('chatcmpl-')
    expect(choices.map(({ delta }) => delta.role).filter(Boolean)).toEqual(['assistant'])
    expect(choices[0]?.delta.role).toBe('assistant')
    expect(choices.map(({ delta }) => delta.content ?? '').join('')).toMatch(/^n=\d+$/)
    expect(choices.map(({ finish_reason: reason }) => reason).filter(Boolean)).toEqual(['stop'])
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop')
    expect(chunks.filter(({ usage }) => usage)).toEqual([])
  })

  test('is passed on while Ollama still writes', async () => {
    const body = chatBody({ model: 'hold-mid', stream })
    const response = await fetch(`${pair.url}/v1/chat/completions`, { method: 'POST', headers: { 'x-api-key': apiKey }, body })
    const decoder = new TextDecoder()
    let text = ''
    let released = false
    for await (const bytes of response.body ?? []) {
      text += decoder.decode(bytes, { stream: true })
      if (released || !text.includes('two ')) continue
      expect(pair.ollama.streams.at(-1)).toMatchObject({ model: 'hold-mid', ended: undefined })
      expect(text).not.toContain('[DONE]')
      released = true
      pair.ollama.release()
    }
    expect(released).toBe(true)
    expect(text).toEndWith('data: [DONE]\n\n')
  })
})

test('A52 the headers of a stream', async () => {
  const { headers } = await pair.chat({ stream })
  expect(headers.get('content-type')).toStartWith('text/event-stream')
  expect(headers.get('cache-control')).toContain('no-cache')
})

test('A53 the usage of a stream, for those who ask', async () => {
  const { text } = await pair.chat({ stream, stream_options: { include_usage: true } })
  expect(text).toEndWith('data: [DONE]\n\n')
  const chunks = chunksOf(text)
  const last = chunks.pop()
  expect(last).toMatchObject({
    id: chunks[0]?.id,
    choices: [],
    usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
  })
  expect(chunks.filter(({ choices }) => choices.length === 0)).toEqual([])
})

test('A54 a stream of a model Ollama does not have', async () => {
  const { status, headers, json } = await pair.chat({ model: 'missing', stream })
  expect(status).toBe(404)
  expect(headers.get('content-type')).toStartWith('application/json')
  expect(json()).toMatchObject({ error: { message: expect.stringContaining('not found'), code: 'model_not_found' } })
})

describe('A57 the official SDK', () => {
  const client = () => new OpenAI({ baseURL: `${pair.url}/v1`, apiKey, maxRetries: 0 })
  const says = (content: string) => [{ role: 'user' as const, content }]
  const parameters = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] }
  const tools = [{ type: 'function' as const, function: { name: 'read', parameters } }]

  test('lists the models', async () => {
    const ids: string[] = []
    for await (const { id } of client().models.list()) ids.push(id)
    expect(ids).toEqual(['mistral:latest', 'llama3.2:3b'])
  })

  test('chats', async () => {
    const { choices, usage } = await client().chat.completions.create({ model: 'echo', messages: says('a57') })
    expect(choices[0]?.message.content).toMatch(/^n=\d+$/)
    expect(usage?.total_tokens).toBe(18)
  })

  test('streams', async () => {
    const chunks = await client().chat.completions.create({ model: 'echo', messages: says('a57, streamed'), stream })
    let text = ''
    for await (const { choices } of chunks) text += choices[0]?.delta.content ?? ''
    expect(text).toMatch(/^n=\d+$/)
  })

  test.each([false, true])('calls a tool and goes on with its result, streamed: %p', async streamed => {
    const { completions } = client().chat
    const ask = async (messages: OpenAI.ChatCompletionMessageParam[]) => {
      const request = { model: 'once', messages, tools }
      const { choices } = streamed ? await completions.stream(request).finalChatCompletion() : await completions.create(request)
      return choices[0]?.message as OpenAI.ChatCompletionMessage
    }
    const first = says(`a57, a tool, streamed: ${streamed}`)
    const { content, tool_calls: calls = [] } = await ask(first)
    expect(calls).toMatchObject([{ type: 'function', function: { name: 'read', arguments: expect.stringMatching(/"x"/) } }])
    const results = calls.map(({ id }) => ({ role: 'tool' as const, tool_call_id: id, content: 'ALPHA' }))
    const answer = await ask([...first, { role: 'assistant', content, tool_calls: calls }, ...results])
    expect(answer.content).toBe('the tool said: ALPHA')
  })
})
