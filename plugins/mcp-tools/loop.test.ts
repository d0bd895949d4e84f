import { describe, expect, test } from 'bun:test'
import OpenAI from 'openai'
import { fakeLlamaServer } from '../../core/testing/fake-llama-server.ts'
import { fakeOllama } from '../../core/testing/fake-ollama.ts'
import { fakeOpenai } from '../../core/testing/fake-openai.ts'
import type { FakeServer } from '../../core/testing/fake-server.ts'
import { fakeVllm } from '../../core/testing/fake-vllm.ts'
import { allKinds, fakeTools } from './testing/fake-tools.ts'
import { openRig, readStream } from './testing/house.ts'

type Json = Record<string, unknown>
interface Sent extends Json {
  readonly messages: readonly Json[]
  readonly tools?: readonly { readonly function: { readonly name: string } }[]
}

/** The calls of chat that a fake got. */
const chatsOf = (fake: FakeServer) =>
  fake.requests.filter(({ path }) => /\/chat(\/completions)?$/.test(path)).map(({ json }) => json as Sent)

const upstreams = [
  ['an OpenAI-style server', 'openai-compatible', fakeOpenai],
  ['Ollama', 'ollama', fakeOllama],
  ['vLLM', 'vllm', fakeVllm],
  ['llama-server', 'llamacpp', fakeLlamaServer],
] as const

describe.each(upstreams)('with %s', (_, type, start) => {
  test('a round of tools, as a whole', async () => {
    await using fake = await start()
    await using house = await openRig({ upstream: { url: fake.url, type } })
    const answer = (await (await house.chat()).json()) as OpenAI.ChatCompletion
    expect(answer).toMatchObject({
      object: 'chat.completion',
      model: 'once',
      choices: [{ message: { role: 'assistant', content: 'the tool said: ALPHA x' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 22, completion_tokens: 14, total_tokens: 36 },
    })
    expect(answer.choices[0]?.message.tool_calls).toBeUndefined()
    expect(house.tools.calls).toMatchObject([{ server: 'fake', tool: 'echo', args: { text: 'x' } }])
    const [first, second] = chatsOf(fake) as [Sent, Sent]
    expect(first.tools?.map(({ function: { name } }) => name)).toEqual(['mcp__fake__echo'])
    expect(second.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool'])
    expect(second.messages[2]).toMatchObject({ content: 'ALPHA x' })
  })

  test('the same in one stream', async () => {
    await using fake = await start()
    await using house = await openRig({ upstream: { url: fake.url, type } })
    const response = await house.chat({ model: 'two', stream: true, stream_options: { include_usage: true } })
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    expect(readStream(await response.text())).toMatchObject({
      ids: 1,
      roles: 1,
      finishes: ['stop'],
      text: 'checking the tool said: ALPHA x1 | ALPHA x2',
      calls: [],
      usages: [{ prompt_tokens: 22, completion_tokens: 14, total_tokens: 36 }],
      done: 1,
    })
    expect(house.tools.calls.map(({ args }) => args.text)).toEqual(['x1', 'x2'])
  })
})

test('the official SDK puts a stream with tools together; usage only for those who ask', async () => {
  await using fake = await fakeOpenai()
  await using house = await openRig({ upstream: fake })
  const client = new OpenAI({ baseURL: `${house.url}/v1`, apiKey: 'none' })
  const stream = client.chat.completions.stream({ model: 'two', messages: [{ role: 'user', content: 'hi' }] })
  expect(await stream.finalContent()).toBe('checking the tool said: ALPHA x1 | ALPHA x2')
  expect(await stream.totalUsage()).toMatchObject({ total_tokens: 0 })
})

test('whole and streamed answers say the same', async () => {
  await using fake = await fakeOpenai()
  await using house = await openRig({ upstream: fake })
  const whole = (await (await house.chat({ model: 'two' })).json()) as OpenAI.ChatCompletion
  const streamed = readStream(await (await house.chat({ model: 'two', stream: true })).text())
  expect(whole.choices[0]?.message.content).toBe(streamed.text)
  expect(streamed.usages).toEqual([])
})

describe('tools of the client', () => {
  const own = {
    type: 'function',
    function: { name: 'mine', parameters: { type: 'object', properties: { q: { type: 'string' } }, required: ['q'] } },
  }

  test('calls of it go back to it, whole and streamed', async () => {
    await using fake = await fakeOpenai()
    await using house = await openRig({ upstream: fake })
    const answer = (await (await house.chat({ tools: [own] })).json()) as OpenAI.ChatCompletion
    expect(answer.choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { tool_calls: [{ function: { name: 'mine' } }] } })
    const streamed = readStream(await (await house.chat({ tools: [own], stream: true })).text())
    expect(streamed).toMatchObject({ finishes: ['tool_calls'], roles: 1, done: 1 })
    expect(streamed.calls[0]).toMatchObject({ index: 0, function: { name: 'mine' } })
    expect(house.tools.calls).toEqual([])
  })

  test('a mixed round goes back to it, without the calls it cannot run', async () => {
    await using fake = await fakeOpenai()
    // the client's comes first, so the model calls `mine`, then `echo`
    await using house = await openRig({ upstream: fake })
    const answer = (await (await house.chat({ model: 'two', tools: [own] })).json()) as OpenAI.ChatCompletion
    expect(answer.choices[0]?.finish_reason).toBe('tool_calls')
    expect(answer.choices[0]?.message.tool_calls).toMatchObject([{ function: { name: 'mine' } }])
    const streamed = readStream(await (await house.chat({ model: 'two', tools: [own], stream: true })).text())
    expect(streamed).toMatchObject({ finishes: ['tool_calls'], text: 'checking ', done: 1 })
    expect(new Set(streamed.calls.map(call => (call as { index: number }).index))).toEqual(new Set([0]))
    expect(JSON.stringify(streamed.calls)).not.toContain('mcp__')
    expect(house.tools.calls).toEqual([])
  })

  test('no servers at all: the request is none of our business', async () => {
    await using fake = await fakeOpenai()
    await using house = await openRig({ upstream: fake, tools: fakeTools([]) })
    const answer = (await (await house.chat({ tools: [own] })).json()) as OpenAI.ChatCompletion
    expect(answer.choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { role: 'assistant' } })
  })
})

describe('which tools a request gets', () => {
  const offered = async (fields: object, headers: Record<string, string> = {}, mcp: object = {}) => {
    await using fake = await fakeOpenai()
    await using house = await openRig({ upstream: fake, tools: fakeTools(allKinds), mcp })
    const response = await house.chat({ model: 'echo', ...fields }, headers)
    const body = (await response.json()) as { error?: { message: string; code: string; param: string | null } }
    return body.error ?? chatsOf(fake)[0]?.tools?.map(({ function: { name } }) => name)
  }
  const ref = (name: string) => ({ type: 'function', function: { name } })

  test('the header narrows: globs over either name, none', async () => {
    expect(await offered({}, { 'x-mcp-tools': 'mcp.fake.{echo,fail}, mcp__fake__img' })).toEqual([
      'mcp__fake__echo',
      'mcp__fake__fail',
      'mcp__fake__img',
    ])
    expect(await offered({}, { 'x-mcp-tools': 'none' })).toBeUndefined()
    expect(await offered({}, { 'x-mcp-tools': 'other.*' })).toBeUndefined()
    expect(await offered({}, { 'x-mcp-tools': 'mcp.[' })).toMatchObject({ code: 'invalid_mcp_tools' })
  })

  test('allow and deny; deny wins', async () => {
    const mcp = { allow_tools: ['mcp.fake.*c*', 'mcp.fake.img'], deny_tools: ['*.cut'] }
    expect(await offered({}, {}, mcp)).toEqual(['mcp__fake__echo', 'mcp__fake__img'])
  })

  test('inject: requested and never', async () => {
    const requested = { inject: 'requested' }
    expect(await offered({}, {}, requested)).toBeUndefined()
    expect(await offered({}, { 'x-mcp-tools': '*.echo' }, requested)).toEqual(['mcp__fake__echo'])
    expect(await offered({ tools: [ref('mcp.fake.img'), ref('mcp__fake__echo')] }, {}, requested)).toEqual([
      'mcp__fake__echo',
      'mcp__fake__img',
    ])
    expect(await offered({}, { 'x-mcp-tools': '*' }, { inject: 'never' })).toBeUndefined()
    expect(await offered({ tools: [ref('mcp.fake.img')] }, {}, { inject: 'never' })).toMatchObject({
      code: 'tool_not_available',
      param: 'tools[0]',
    })
  })

  test('tool_choice: none means none, names are translated, what is not there is a 400', async () => {
    expect(await offered({ tool_choice: 'none' })).toBeUndefined()
    expect(await offered({ tool_choice: ref('mcp.fake.nope') })).toMatchObject({ code: 'tool_not_available', param: 'tool_choice' })
    await using fake = await fakeOpenai()
    await using house = await openRig({ upstream: fake })
    await (await house.chat({ tool_choice: ref('mcp.fake.echo') })).text()
    const [first, second] = chatsOf(fake)
    expect(first?.tool_choice).toEqual(ref('mcp__fake__echo'))
    expect(second?.tool_choice).toBe('auto') // or it would call for ever
  })

  test('several answers and the older functions get none', async () => {
    expect(await offered({ n: 2 })).toBeUndefined()
    expect(await offered({ functions: [{ name: 'f', parameters: {} }] })).toBeUndefined()
    expect(await offered({ n: 2, tools: [ref('mcp.fake.echo')] })).toMatchObject({ code: 'tools_not_possible' })
  })

  test("a client's own tool of that name goes before ours", async () => {
    const own = { type: 'function', function: { name: 'mcp__fake__echo', parameters: { type: 'object', properties: {} } } }
    await using fake = await fakeOpenai()
    await using house = await openRig({ upstream: fake })
    const answer = (await (await house.chat({ tools: [own] })).json()) as OpenAI.ChatCompletion
    expect(answer.choices[0]?.finish_reason).toBe('tool_calls')
    expect(chatsOf(fake)[0]?.tools).toEqual([own] as never)
    expect(house.tools.calls).toEqual([])
  })

  test('documented names in what was said before are those that models know', async () => {
    await using fake = await fakeOpenai()
    await using house = await openRig({ upstream: fake })
    const call = { id: 'a', type: 'function', function: { name: 'mcp.fake.echo', arguments: '{}' } }
    const messages = [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'a', content: 'T' },
    ]
    await (await house.chat({ model: 'echo', messages }, { 'x-mcp-tools': 'none' })).text()
    expect(chatsOf(fake)[0]?.messages[1]?.tool_calls).toMatchObject([{ function: { name: 'mcp__fake__echo' } }])
  })
})

describe('a model without tools', () => {
  test.each(upstreams)('of %s gets a plain request, and no other for a while', async (_, type, start) => {
    await using fake = await start()
    await using house = await openRig({ upstream: { url: fake.url, type } })
    for (const stream of [false, true]) {
      const response = await house.chat({ model: 'notools', stream, tool_choice: 'auto' })
      expect(response.status).toBe(200)
      expect(await response.text()).toContain('n=')
    }
    expect(chatsOf(fake).map(({ tools }) => tools?.length)).toEqual([1, undefined, undefined])
  })
})
