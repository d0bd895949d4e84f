import { describe, expect, test } from 'bun:test'
import { chatChunk, done, eventsResponse, scriptedUpstream } from '../../core/testing/scripted-upstream.ts'
import { calling } from './testing/calling.ts'
import { allKinds, fakeTools } from './testing/fake-tools.ts'
import { openRig, readStream } from './testing/house.ts'

const call = (index: number, name: string, args: string, id = `call_${index}`) => ({
  index,
  id,
  type: 'function',
  function: { name, arguments: args },
})
const echo = (index = 0) => call(index, 'mcp__fake__echo', '{"text":"x"}')
const own = { type: 'function', function: { name: 'mine', parameters: { type: 'object', properties: {} } } }

/** A model that answers the first request with these events, and the next with a text. */
const once = (...events: readonly (object | string | number | Promise<unknown>)[]) =>
  scriptedUpstream((_, count) =>
    count === 1
      ? eventsResponse(...events, done)
      : eventsResponse(
          { ...chatChunk({ role: 'assistant', content: 'and so on' }), id: 'c2', created: 2 },
          { ...chatChunk({}, 'stop'), id: 'c2' },
          done,
        ),
  )

async function streamed(events: readonly object[], fields: object = {}, tools = fakeTools(allKinds)) {
  await using model = await once(...events)
  await using house = await openRig({ upstream: model, tools })
  const response = await house.chat({ model: 'm', stream: true, ...fields })
  const text = await response.text()
  return { ...readStream(text), raw: text, tools, requests: model.requests }
}

describe('what goes out', () => {
  test('text before the calls and behind them, with room between, one head, one role, one end', async () => {
    const events = [
      chatChunk({ role: 'assistant', content: 'Let me see.' }),
      chatChunk({ tool_calls: [echo()] }),
      chatChunk({}, 'tool_calls'),
    ]
    const read = await streamed(events)
    expect(read).toMatchObject({ ids: 1, roles: 1, text: 'Let me see.\n\nand so on', finishes: ['stop'], calls: [], done: 1, errors: [] })
    expect(read.requests[1]?.json).toMatchObject({
      messages: [
        { role: 'user' },
        {
          role: 'assistant',
          content: 'Let me see.',
          tool_calls: [{ id: 'call_0', type: 'function', function: { name: 'mcp__fake__echo', arguments: '{"text":"x"}' } }],
        },
        { role: 'tool', tool_call_id: 'call_0', content: 'ALPHA x' },
      ],
    })
  })

  test('text goes out before the tools have run', async () => {
    await using model = await once(
      chatChunk({ content: 'Now.' }),
      chatChunk({ tool_calls: [call(0, 'mcp__fake__hold', '{}')] }),
      chatChunk({}, 'tool_calls'),
    )
    await using house = await openRig({ upstream: model, tools: fakeTools(allKinds) })
    const response = await house.chat({ model: 'm', stream: true })
    let text = ''
    const decoder = new TextDecoder()
    for await (const chunk of response.body as ReadableStream<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true })
      if (!text.includes('Now.')) continue
      while (house.tools.calls.length === 0) await Bun.sleep(2)
      house.tools.release()
    }
    expect(readStream(text).text).toBe('Now.\n\nand so on')
  })

  test('names and arguments in pieces; thinking goes back to the model', async () => {
    const read = await streamed([
      chatChunk({ role: 'assistant', content: null, reasoning_content: 'hm' }),
      chatChunk({ tool_calls: [call(0, 'mcp__fa', '')] }),
      chatChunk({ tool_calls: [{ index: 0, function: { name: 'ke__echo' } }] }),
      chatChunk({ tool_calls: [{ index: 0, function: { arguments: '{"te' } }] }),
      chatChunk({ tool_calls: [{ index: 0, function: { arguments: 'xt":"é"}' } }] }),
      chatChunk({}, 'tool_calls'),
    ])
    expect(read.tools.calls).toMatchObject([{ tool: 'echo', args: { text: 'é' } }])
    expect(read.requests[1]?.json).toMatchObject({ messages: [{}, { reasoning_content: 'hm', content: null }, {}] })
    expect(read).toMatchObject({ roles: 1, text: 'and so on' })
  })

  test('calls of the client in the middle of ours keep their order and get places of their own', async () => {
    const read = await streamed(
      [
        chatChunk({ tool_calls: [echo(0)] }),
        chatChunk({ tool_calls: [call(1, 'mine', '{"a"')] }),
        chatChunk({ tool_calls: [{ index: 1, function: { arguments: ':1}' } }, echo(2), call(3, 'mine', '{}')] }),
        chatChunk({}, 'tool_calls'),
      ],
      { tools: [own] },
    )
    expect(read.calls).toMatchObject([
      { index: 0, id: 'call_1', function: { name: 'mine', arguments: '{"a"' } },
      { index: 0, function: { arguments: ':1}' } },
      { index: 1, id: 'call_3', function: { name: 'mine' } },
    ])
    expect(read).toMatchObject({ finishes: ['tool_calls'], done: 1 })
    expect(read.tools.calls).toEqual([])
  })

  test('when nothing is for us, the bytes are those of the backend', async () => {
    const events = [
      chatChunk({ role: 'assistant', content: 'hi' }),
      chatChunk({ tool_calls: [call(0, 'mine', '{}')] }),
      chatChunk({}, 'tool_calls'),
    ]
    const read = await streamed(events, { tools: [own], model: 'm' })
    expect(read.raw).toBe(events.map(event => `data: ${JSON.stringify(event)}\n\n`).join('') + done)
  })

  test('a call that was cut off is not run', async () => {
    const read = await streamed([chatChunk({ tool_calls: [call(0, 'mcp__fake__echo', '{"te')] }), chatChunk({}, 'length')])
    expect(read).toMatchObject({ finishes: ['length'], calls: [], done: 1, roles: 1 })
    expect(read.tools.calls).toEqual([])
  })
})

describe('how it ends', () => {
  test('a failure in a later turn is an error event', async () => {
    await using model = await scriptedUpstream((_, count) =>
      count === 1
        ? eventsResponse(chatChunk({ tool_calls: [echo()] }), chatChunk({}, 'tool_calls'), done)
        : new Response('{}', { status: 500 }),
    )
    await using house = await openRig({ upstream: model })
    const response = await house.chat({ model: 'm', stream: true })
    expect(response.status).toBe(200)
    expect(readStream(await response.text())).toMatchObject({ errors: [{ code: 'bad_gateway' }], done: 0, finishes: [] })
  })

  test.each([false, true])('a client that leaves while a tool runs stops it and everything else (stream: %p)', async stream => {
    await using model = await calling([
      ['mcp__fake__hold', {}],
      ['mcp__fake__never', {}],
    ])
    await using house = await openRig({ upstream: model, tools: fakeTools(allKinds) })
    const leaving = new AbortController()
    const asked = house.chat({ model: 'm', stream }, {}, leaving.signal).then(response => response.text())
    asked.catch(() => {})
    while (house.tools.calls.length < 2) await Bun.sleep(2)
    leaving.abort()
    const [hold] = house.tools.calls
    while (!hold?.signal.aborted) await Bun.sleep(2)
    while (house.serving.gateway.exchanges.list().length > 0) await Bun.sleep(2)
    expect(model.requests).toHaveLength(1)
    expect(house.lines.filter(({ level }) => level === 'error')).toEqual([])
  })

  test('a client that leaves in a later turn stops that', async () => {
    const left = Promise.withResolvers<void>()
    await using model = await scriptedUpstream((_, count) => {
      if (count === 1) return eventsResponse(chatChunk({ tool_calls: [echo()] }), chatChunk({}, 'tool_calls'), done)
      const chunk = new TextEncoder().encode(`data: ${JSON.stringify(chatChunk({ content: 'late' }))}\n\n`)
      return new Response(new ReadableStream({ start: controller => controller.enqueue(chunk), cancel: () => left.resolve() }), {
        headers: { 'content-type': 'text/event-stream' },
      })
    })
    await using house = await openRig({ upstream: model })
    const leaving = new AbortController()
    const response = await house.chat({ model: 'm', stream: true }, {}, leaving.signal)
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    let text = ''
    while (!text.includes('late')) text += new TextDecoder().decode((await reader.read()).value)
    leaving.abort()
    await reader.read().catch(() => {})
    await left.promise
  })
})

describe('silence while tools run', () => {
  test('is filled by heartbeats', async () => {
    await using model = await calling([['mcp__fake__hold', {}]])
    await using house = await openRig({ upstream: model, tools: fakeTools(allKinds), yaml: { heartbeat: '20ms' } })
    const response = await house.chat({ model: 'm', stream: true })
    let text = ''
    for await (const chunk of response.body as ReadableStream<Uint8Array>) {
      text += new TextDecoder().decode(chunk)
      if (text.includes(': keep-alive') && house.tools.calls.length > 0) house.tools.release()
    }
    expect(readStream(text)).toMatchObject({ text: 'held', done: 1 })
  })

  test('is told of to those who asked', async () => {
    for (const asks of [true, false]) {
      await using model = await calling([['mcp__fake__steps', {}]])
      await using house = await openRig({ upstream: model, tools: fakeTools(allKinds) })
      const response = await house.chat({ model: 'm', stream: true }, asks ? { 'x-gatehouse-progress': '1' } : {})
      let text = ''
      const reading = (async () => {
        for await (const chunk of response.body as ReadableStream<Uint8Array>) text += new TextDecoder().decode(chunk)
      })()
      while (house.tools.calls.length === 0 || (asks && !text.includes('"total":2'))) await Bun.sleep(2)
      house.tools.release()
      await reading
      const comments = text.split('\n\n').filter(block => block.startsWith(': progress'))
      expect(comments.length > 0).toBe(asks)
      if (asks)
        expect(JSON.parse((comments.at(-1) as string).slice(11))).toEqual({
          state: 'tools',
          tools: [{ name: 'mcp.fake.steps', progress: 1, total: 2, message: 'half\nway' }],
        })
      expect(readStream(text).text).toBe('stepped')
    }
  })
})
