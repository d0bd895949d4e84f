import { describe, expect, test } from 'bun:test'
import { fakeOpenai } from '../../core/testing/fake-openai.ts'
import { makeKey } from '../../core/testing/managed-key.ts'
import type { ScriptedRequest } from '../../core/testing/scripted-upstream.ts'
import { calling } from './testing/calling.ts'
import { allKinds, fakeTools } from './testing/fake-tools.ts'
import { openRig, readStream } from './testing/house.ts'

/** What the model was told after the calls, whole and streamed. */
async function told(calls: readonly (readonly [string, unknown])[], mcp: object = {}, options: object = {}): Promise<string[]> {
  const texts: string[] = []
  for (const stream of [false, true]) {
    await using model = await calling(calls)
    await using house = await openRig({ upstream: model, tools: fakeTools(allKinds), mcp, options })
    const response = await house.chat({ model: 'm', stream })
    expect(response.status).toBe(200)
    const text = await response.text()
    texts.push(stream ? readStream(text).text : JSON.parse(text).choices[0].message.content)
  }
  return texts
}

/** Both forms say the same. */
async function toldOnce(...given: Parameters<typeof told>): Promise<string> {
  const [whole, streamed] = await told(...given)
  expect(streamed as string).toBe(whole as string)
  return whole as string
}

describe('limits', () => {
  const limited = async (model: string, mcp: object) => {
    await using fake = await fakeOpenai()
    const seen: unknown[] = []
    let calls = 0
    for (const stream of [false, true]) {
      await using house = await openRig({ upstream: fake, mcp })
      const response = await house.chat({ model, stream })
      const text = await response.text()
      if (stream) {
        const { errors, finishes, done } = readStream(text)
        expect({ status: response.status, finishes, done }).toEqual({ status: 200, finishes: [], done: 0 })
        seen.push(errors[0])
      } else {
        expect(response.status).toBe(422)
        seen.push(JSON.parse(text).error)
      }
      calls = house.tools.calls.length
    }
    const [whole, streamed] = seen as { type: string; message: string; request_id: string }[]
    expect({ ...streamed, request_id: '' }).toEqual({ ...whole, request_id: '' } as never)
    return { type: whole?.type, message: whole?.message, calls }
  }

  test('N rounds are N rounds of tools, and then the model may speak', async () => {
    expect(await limited('forever', { max_tool_rounds: 3 })).toEqual({
      type: 'max_tool_rounds_exceeded',
      message: 'Maximum tool execution rounds (3) exceeded. This request completed 3 rounds with 1 pending tool calls.',
      calls: 3,
    })
    await using model = await calling([['mcp__fake__echo', { text: 'a' }]], [['mcp__fake__echo', { text: 'b' }]])
    for (const stream of [false, true]) {
      await using house = await openRig({ upstream: model, mcp: { max_tool_rounds: 2 } })
      const text = await (await house.chat({ model: 'm', stream, ...(stream && { stream_options: { include_usage: true } }) })).text()
      const usage = { prompt_tokens: 30, completion_tokens: 3, total_tokens: 33 }
      if (stream)
        expect(readStream(text)).toMatchObject({
          ids: 1,
          roles: 1,
          finishes: ['stop'],
          text: 'ALPHA a | ALPHA b',
          done: 1,
          usages: [usage],
        })
      else expect(JSON.parse(text)).toMatchObject({ choices: [{ message: { content: 'ALPHA a | ALPHA b' } }], usage })
      expect(house.extended()).toEqual([1, 3, 5])
    }
  })

  test('calls in one round', async () => {
    expect(await limited('many', { max_tool_calls_per_round: 10 })).toEqual({
      type: 'too_many_tool_calls_per_round',
      message: 'Maximum tool calls per round (10) exceeded. This request attempted 15 tool calls in round 1.',
      calls: 0,
    })
  })

  test('calls in all', async () => {
    expect(await limited('forever', { max_total_tool_calls: 2 })).toEqual({
      type: 'max_total_tool_calls_exceeded',
      message: 'Maximum total tool calls (2) exceeded. This request has made 2 tool calls and attempted 1 more.',
      calls: 2,
    })
  })

  test('time for one tool, whether it listens or not', async () => {
    const answer = await toldOnce(
      [
        ['mcp__fake__never', {}],
        ['mcp__fake__echo', { text: 'x' }],
      ],
      { default_tool_timeout: '50ms' },
    )
    const [error, other] = answer.split(' | ')
    expect(JSON.parse(error as string)).toEqual({
      error: 'Tool execution failed: tool execution failed (server=fake, tool=never): timed out after 0.05s',
    })
    expect(other).toBe('ALPHA x')
  })

  test('time for all tools', async () => {
    await using model = await calling([['mcp__fake__never', {}]], [['mcp__fake__never', {}]])
    await using house = await openRig({ upstream: model, tools: fakeTools(allKinds), options: { total_tool_time: '40ms' } })
    const response = await house.chat({ model: 'm' })
    expect(response.status).toBe(422)
    expect(await response.json()).toMatchObject({ error: { type: 'max_tool_time_exceeded' } })
    expect(house.tools.calls).toHaveLength(1)
  })

  test('size: never half a character', async () => {
    const answer = await toldOnce([['mcp__fake__cut', {}]], { max_tool_result_size: 101 })
    expect(answer).toBe(`${'é'.repeat(50)}\n... [truncated]`)
  })

  test('calls of a round run side by side, as many as may', async () => {
    await using model = await calling(Array.from({ length: 6 }, () => ['mcp__fake__hold', {}] as const))
    await using house = await openRig({ upstream: model, tools: fakeTools(allKinds), options: { parallel_calls: 3 } })
    const answer = house.chat({ model: 'm' })
    while (house.tools.calls.length < 3) await Bun.sleep(2)
    expect(house.tools.most()).toBe(3)
    house.tools.release()
    while (house.tools.calls.length < 6) await Bun.sleep(2)
    house.tools.release()
    expect((await (await answer).json()) as object).toMatchObject({
      choices: [{ message: { content: Array(6).fill('held').join(' | ') } }],
    })
    expect(house.tools.most()).toBe(3)
  })
})

describe('what fails is told to the model, as JSON', () => {
  test('a tool that says it failed, one that crashed, one that does not exist', async () => {
    const answer = await toldOnce([
      ['mcp__fake__fail', {}],
      ['mcp__fake__boom', {}],
      ['made_up', {}],
    ])
    expect(answer.split(' | ').map(text => JSON.parse(text).error)).toEqual([
      'no "such" thing\n',
      'Tool execution failed: tool execution failed (server=fake, tool=boom): the server "crashed"',
      'Tool call denied: tool made_up is not offered',
    ])
  })

  test('arguments: missing, of the wrong type, no JSON, no object', async () => {
    const name = 'mcp__fake__echo'
    const answer = await toldOnce([
      [name, {}],
      [name, { text: 5 }],
      [name, '{"text":'],
      [name, '[1]'],
      [name, { text: 'fine' }],
    ])
    const [missing, wrong, broken, list, fine] = answer.split(' | ')
    expect(JSON.parse(missing as string).error).toContain("arguments must have required property 'text'")
    expect(JSON.parse(wrong as string).error).toContain('arguments/text must be string')
    for (const text of [broken, list]) expect(JSON.parse(text as string).error).toContain('not a JSON object')
    expect(fine).toBe('ALPHA fine')
  })

  test('arguments that were no JSON do not go back to the server, which would fail on them', async () => {
    await using model = await calling([['mcp__fake__echo', '{"text":']])
    await using house = await openRig({ upstream: model })
    await (await house.chat({ model: 'm' })).text()
    expect(JSON.stringify(model.requests[1]?.json)).toContain('"arguments":"{}"')
  })

  test('a tool that is denied is neither offered nor called', async () => {
    for (const mcp of [{ deny_tools: ['mcp.fake.echo'] }, { allow_tools: ['mcp.fake.img'] }]) {
      await using model = await calling([['mcp.fake.echo', { text: 'x' }]])
      await using house = await openRig({ upstream: model, tools: fakeTools(allKinds), mcp })
      const answer = (await (await house.chat({ model: 'm' })).json()) as { choices: { message: { content: string } }[] }
      expect(JSON.parse(answer.choices[0]?.message.content ?? '').error).toMatch(/^Tool call denied: tool mcp\.fake\.echo is /)
      expect(JSON.stringify(model.requests[0]?.json)).not.toContain('echo')
      expect(house.tools.calls).toEqual([])
    }
  })
})

test('a tool whose name no model could be given is called by its own name', async () => {
  await using model = await calling([['mcp.fake.odd.name/x', {}]])
  await using house = await openRig({ upstream: model, tools: fakeTools(allKinds) })
  expect(await (await house.chat({ model: 'm' })).text()).toContain('odd.name/x ran')
  const { tools } = (model.requests[0] as ScriptedRequest).json as unknown as { tools: { function: { name: string } }[] }
  const seen = tools.map(({ function: { name } }) => name).find(name => name.includes('odd'))
  expect(seen).toMatch(/^mcp__fake__odd_name_x_[0-9a-f]{8}$/)
  expect(JSON.stringify(model.requests[1]?.json)).toContain(`"name":"${seen}"`)
})

describe('managed keys', () => {
  test('have no tools until they are given some', async () => {
    await using fake = await fakeOpenai()
    await using house = await openRig({ upstream: fake, tools: fakeTools(allKinds) })
    const none = await makeKey(house)
    const some = await makeKey(house, { allowedTools: ['mcp.fake.{echo,img}'] })
    await (await house.chat({ model: 'echo' }, none.headers)).text()
    await (await house.chat({ model: 'echo' }, some.headers)).text()
    const offered = fake.requests.map(({ json }) =>
      (json as { tools?: { function: { name: string } }[] }).tools?.map(tool => tool.function.name),
    )
    expect(offered).toEqual([undefined, ['mcp__fake__echo', 'mcp__fake__img']])
  })
})
