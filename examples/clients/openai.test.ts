import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import OpenAI from 'openai'
import { standardResponseFormat } from 'openai/helpers/standard-schema'
import type { ChatCompletionChunk, ChatCompletionMessageParam } from 'openai/resources/chat/completions'
import * as v from 'valibot'
import { backendTypes, listed, type Served, says, serveFake } from './served.ts'

describe.each(backendTypes)('the OpenAI SDK in front of %s', type => {
  let served: Served
  let client: OpenAI
  beforeAll(async () => {
    served = await serveFake(type)
    client = served.client
  })
  afterAll(() => served?.[Symbol.asyncDispose]())

  describe('models', () => {
    test('list', async () => {
      const page = await client.models.list()
      expect(page.data.map(({ id }) => id)).toContain(listed[0])
      for (const model of page.data)
        expect(model).toMatchObject({ object: 'model', created: expect.any(Number), owned_by: expect.any(String) })
    })

    test('retrieve, slashes in the name included', async () => {
      const { data } = await client.models.list()
      for (const { id } of data) expect(await client.models.retrieve(id)).toMatchObject({ id, object: 'model' })
    })

    test('retrieve of an unknown one', async () => {
      const error = await client.models.retrieve('nobody').catch(error => error)
      expect(error).toBeInstanceOf(OpenAI.NotFoundError)
      expect(error).toMatchObject({ status: 404, type: 'invalid_request_error', code: 'model_not_found', param: 'model' })
    })
  })

  describe('chat', () => {
    test('a whole answer', async () => {
      const answer = await client.chat.completions.create({ model: 'echo', messages: says('a whole answer') })
      expect(answer).toMatchObject({ object: 'chat.completion', model: 'echo', created: expect.any(Number) })
      expect(answer.id).toStartWith('chatcmpl-')
      expect(answer.choices).toHaveLength(1)
      expect(answer.choices[0]).toMatchObject({ index: 0, finish_reason: 'stop', message: { role: 'assistant' } })
      expect(answer.choices[0]?.message.content).toMatch(/^n=\d+$/)
      expect(answer.usage).toMatchObject({ prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 })
    })

    test('an answer cut off', async () => {
      const answer = await client.chat.completions.create({ model: 'len', messages: says('an answer cut off') })
      expect(answer.choices[0]).toMatchObject({ finish_reason: 'length', message: { content: 'cut off he' } })
      expect(answer.model).toBe('len')
    })

    test('a conversation of every role', async () => {
      const messages: ChatCompletionMessageParam[] = [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'I am' },
            { type: 'text', text: ' Alice.' },
          ],
        },
        { role: 'assistant', content: 'Hello Alice.' },
        { role: 'user', content: 'Who am I?' },
      ]
      const answer = await client.chat.completions.create({ model: 'echo', messages, temperature: 0, max_tokens: 50, seed: 1, stop: ['x'] })
      expect(answer.choices[0]?.finish_reason).toBe('stop')
    })

    test('the request id of the answer', async () => {
      const answer = await client.chat.completions.create(
        { model: 'echo', messages: says('whose id') },
        { headers: { 'X-Request-ID': 'mine-1' } },
      )
      expect(answer._request_id).toBe('mine-1')
    })
  })

  describe('a stream', () => {
    const collect = async (model: string, options: { include_usage: boolean } | undefined = undefined) => {
      const stream = await client.chat.completions.create({
        model,
        messages: says(`a stream of ${model}`),
        stream: true,
        ...(options && { stream_options: options }),
      })
      const chunks: ChatCompletionChunk[] = []
      for await (const chunk of stream) chunks.push(chunk)
      return chunks
    }
    const textOf = (chunks: readonly ChatCompletionChunk[]) => chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')

    test('has one id, one role and one finish_reason', async () => {
      const chunks = await collect('echo')
      const choices = chunks.flatMap(({ choices }) => choices)
      expect(textOf(chunks)).toMatch(/^n=\d+$/)
      expect(new Set(chunks.map(({ id }) => id)).size).toBe(1)
      expect(new Set(chunks.map(({ created }) => created)).size).toBe(1)
      expect(chunks.every(({ model, object }) => model === 'echo' && object === 'chat.completion.chunk')).toBe(true)
      expect(choices.map(({ delta }) => delta.role).filter(Boolean)).toEqual(['assistant'])
      expect(choices[0]?.delta.role).toBe('assistant')
      expect(choices.map(({ finish_reason: reason }) => reason).filter(Boolean)).toEqual(['stop'])
      expect(choices.at(-1)?.finish_reason).toBe('stop')
    })

    test('has its usage only when asked for', async () => {
      const without = await collect('echo')
      expect(without.filter(({ usage }) => usage)).toEqual([])
      expect(without.every(({ choices }) => choices.length === 1)).toBe(true)

      const chunks = await collect('echo', { include_usage: true })
      const last = chunks.pop()
      expect(last).toMatchObject({ choices: [], usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 } })
      expect(chunks.filter(({ usage }) => usage)).toEqual([])
    })

    test('tells of being cut off', async () => {
      const chunks = await collect('len')
      expect(chunks.flatMap(({ choices }) => choices.map(({ finish_reason: reason }) => reason)).filter(Boolean)).toEqual(['length'])
    })

    test('keeps characters whole that arrive in pieces', async () => {
      const chunks = await collect('unicode')
      expect(textOf(chunks)).toBe('héllo 世界 🙂')
    })

    test('by the helper, with its events', async () => {
      const stream = client.chat.completions.stream({
        model: 'echo',
        messages: says('by the helper'),
        stream_options: { include_usage: true },
      })
      let text = ''
      stream.on('content', delta => {
        text += delta
      })
      const answer = await stream.finalChatCompletion()
      expect(answer).toMatchObject({ object: 'chat.completion', model: 'echo' })
      expect(answer.choices[0]).toMatchObject({ finish_reason: 'stop', message: { role: 'assistant', content: text } })
      expect(text).toMatch(/^n=\d+$/)
      expect(await stream.totalUsage()).toMatchObject({ total_tokens: 18 })
    })
  })

  describe('tools', () => {
    const tool = (name: string) => ({
      type: 'function' as const,
      function: { name, parameters: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] } },
    })
    const tools = [tool('first'), tool('second')]

    test('a call in a whole answer', async () => {
      const { choices } = await client.chat.completions.create({ model: 'once', messages: says('call'), tools })
      expect(choices[0]?.finish_reason).toBe('tool_calls')
      const [call] = choices[0]?.message.tool_calls ?? []
      if (call?.type !== 'function') throw new Error('no call of a function')
      expect(call.id).not.toBe('')
      expect(call.function.name).toBe('first')
      expect(JSON.parse(call.function.arguments)).toEqual({ text: 'x' })
    })

    test('calls in a stream', async () => {
      const stream = await client.chat.completions.create({ model: 'two', messages: says('call twice'), tools, stream: true })
      const calls: { id: string[]; name: string; arguments: string }[] = []
      const reasons: unknown[] = []
      for await (const { choices } of stream) {
        const [choice] = choices
        if (choice?.finish_reason) reasons.push(choice.finish_reason)
        for (const { index, id, function: made } of choice?.delta.tool_calls ?? []) {
          calls[index] ??= { id: [], name: '', arguments: '' }
          if (id) calls[index].id.push(id)
          calls[index].name += made?.name ?? ''
          calls[index].arguments += made?.arguments ?? ''
        }
      }
      expect(reasons).toEqual(['tool_calls'])
      expect(calls.map(call => call.name)).toEqual(['first', 'second'])
      expect(calls.map(call => JSON.parse(call.arguments))).toEqual([{ text: 'x1' }, { text: 'x2' }])
      expect(calls.map(call => call.id.length)).toEqual([1, 1])
      expect(calls[0]?.id[0]).not.toBe(calls[1]?.id[0])
    })

    test('calls put together by the helper', async () => {
      const stream = client.chat.completions.stream({ model: 'two', messages: says('call twice more'), tools })
      const { choices } = await stream.finalChatCompletion()
      expect(choices[0]?.finish_reason).toBe('tool_calls')
      const calls = choices[0]?.message.tool_calls?.map(call => call.type === 'function' && call.function) ?? []
      expect(calls).toMatchObject([
        { name: 'first', arguments: expect.stringMatching(/"x1"/) },
        { name: 'second', arguments: expect.stringMatching(/"x2"/) },
      ])
    })

    test.each([false, true])('a conversation of two rounds, streamed: %p', async streamed => {
      const ask = async (messages: ChatCompletionMessageParam[]) => {
        const request = { model: 'two', messages, tools }
        const { completions } = client.chat
        const { choices } = streamed ? await completions.stream(request).finalChatCompletion() : await completions.create(request)
        const [choice] = choices
        if (!choice) throw new Error('no choice')
        return choice
      }
      const messages: ChatCompletionMessageParam[] = says(`two rounds, streamed: ${streamed}`)
      const first = await ask(messages)
      const { role, content, tool_calls: calls = [] } = first.message
      messages.push({ role, content, tool_calls: calls })
      for (const { id } of calls) messages.push({ role: 'tool', tool_call_id: id, content: `result of ${id}` })

      const second = await ask(messages)
      expect(second).toMatchObject({
        finish_reason: 'stop',
        message: { content: `the tool said: ${calls.map(({ id }) => `result of ${id}`).join(' | ')}` },
      })
    })

    test('run by the SDK until the model answers', async () => {
      const seen: unknown[] = []
      const parameters = tools[0]?.function.parameters as Record<string, unknown>
      const read = (args: unknown) => {
        seen.push(args)
        return 'sunny'
      }
      const runner = client.chat.completions.runTools({
        model: 'once',
        messages: says('run'),
        tools: [
          { type: 'function', function: { name: 'weather', description: 'the weather', parameters, parse: JSON.parse, function: read } },
        ],
      })
      expect(await runner.finalContent()).toBe('the tool said: sunny')
      expect(seen).toEqual([{ text: 'x' }])
    })
  })

  describe('structured output', () => {
    const schema = { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'], additionalProperties: false }
    const format = standardResponseFormat(v.object({ ok: v.boolean() }), 'answer', { schema })

    test('by the parse helper', async () => {
      const answer = await client.chat.completions.parse({ model: 'json', messages: says('is it?'), response_format: format })
      expect(answer.choices[0]?.message.parsed).toEqual({ ok: true })
    })

    test('streamed', async () => {
      const stream = client.chat.completions.stream({ model: 'json', messages: says('is it still?'), response_format: format })
      const answer = await stream.finalChatCompletion()
      expect(answer.choices[0]?.message.parsed).toEqual({ ok: true })
    })

    test('as any JSON object', async () => {
      const answer = await client.chat.completions.create({
        model: 'json',
        messages: says('an object'),
        response_format: { type: 'json_object' },
      })
      expect(answer.choices[0]?.message.content).toBe('{"ok":true}')
    })
  })

  describe('embeddings', () => {
    test('base64, which the SDK asks for by itself, and floats are the same vectors', async () => {
      const input = ['one', 'another one']
      const packed = await client.embeddings.create({ model: 'echo', input })
      const plain = await client.embeddings.create({ model: 'echo', input, encoding_format: 'float' })
      expect(packed.data.map(({ index, object }) => ({ index, object }))).toEqual([
        { index: 0, object: 'embedding' },
        { index: 1, object: 'embedding' },
      ])
      expect(packed.data.map(({ embedding }) => [...embedding])).toEqual(plain.data.map(({ embedding }) => embedding))
      expect(plain.data[0]?.embedding.length).toBeGreaterThan(1)
      expect(plain.data[0]?.embedding).not.toEqual(plain.data[1]?.embedding)
      expect(packed).toMatchObject({ object: 'list', model: 'echo' })
      expect(packed.usage.prompt_tokens).toBeGreaterThan(0)
      expect(packed.usage.total_tokens).toBe(packed.usage.prompt_tokens)
    })

    test('of one text', async () => {
      const { data } = await client.embeddings.create({ model: 'echo', input: 'one text' })
      expect(data).toHaveLength(1)
    })
  })

  describe('completions', () => {
    test('whole', async () => {
      const answer = await client.completions.create({ model: 'echo', prompt: 'Once upon a time' })
      expect(answer).toMatchObject({ object: 'text_completion', model: 'echo', usage: { total_tokens: 18 } })
      expect(answer.choices[0]).toMatchObject({ index: 0, finish_reason: 'stop', text: expect.stringMatching(/^n=\d+$/) })
    })

    test('streamed', async () => {
      const stream = await client.completions.create({ model: 'len', prompt: 'Once upon a', stream: true })
      let text = ''
      const reasons: unknown[] = []
      for await (const { choices, model } of stream) {
        expect(model).toBe('len')
        text += choices[0]?.text ?? ''
        if (choices[0]?.finish_reason) reasons.push(choices[0].finish_reason)
      }
      expect(text).toBe('cut off he')
      expect(reasons).toEqual(['length'])
    })
  })

  test('an image in a data URL', async () => {
    const url = `data:image/png;base64,${Buffer.alloc(1234, 7).toString('base64')}`
    const { choices } = await client.chat.completions.create({
      model: 'vision',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is it?' },
            { type: 'image_url', image_url: { url } },
          ],
        },
      ],
    })
    expect(JSON.parse(choices[0]?.message.content ?? '')).toEqual({ images: 1, bytes: [1234] })
  })
})
