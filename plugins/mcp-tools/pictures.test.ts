import { expect, test } from 'bun:test'
import { chatChunk, done, eventsResponse, type ScriptedRequest, scriptedUpstream } from '../../core/testing/scripted-upstream.ts'
import { allKinds, fakeTools } from './testing/fake-tools.ts'
import { openRig } from './testing/house.ts'

type Messages = readonly { readonly role: string; readonly content: unknown }[]

/** Wants a picture, then says how many messages it got; one that is blind refuses them. */
const model = (blind: boolean) =>
  scriptedUpstream(({ json }, count) => {
    const { messages } = json as unknown as { messages: Messages }
    if (blind && JSON.stringify(messages).includes('image_url')) {
      return Response.json(
        { error: { message: 'image input is not supported - hint: you may need to provide the mmproj', code: 500 } },
        { status: 500 },
      )
    }
    const call = { index: 0, id: `c${count}`, type: 'function', function: { name: 'mcp__fake__img', arguments: '{}' } }
    const asked = messages.some(({ role }) => role === 'tool')
    return asked
      ? eventsResponse(chatChunk({ content: `${messages.length} messages` }), chatChunk({}, 'stop'), done)
      : eventsResponse(chatChunk({ tool_calls: [call] }), chatChunk({}, 'tool_calls'), done)
  })

test('a model that can see gets the pictures behind the answers, all else in words', async () => {
  await using upstream = await model(false)
  await using house = await openRig({ upstream, tools: fakeTools(allKinds) })
  expect(await (await house.chat({ model: 'm', stream: true })).text()).toContain('4 messages')
  const { messages } = (upstream.requests[1] as ScriptedRequest).json as unknown as { messages: Messages }
  expect(messages[2]?.content).toBe(
    'a picture\n[image: image/png, 8 bytes]\n[audio: audio/wav, 8 bytes]\n[resource: file:///b.txt, b]\nINSIDE',
  )
  expect(messages[3]).toEqual({
    role: 'user',
    content: [
      { type: 'text', text: 'Images that mcp.fake.img gave back:' },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
    ],
  })
})

test('one that cannot is asked once more, in words, and is believed', async () => {
  await using upstream = await model(true)
  await using house = await openRig({ upstream, tools: fakeTools(allKinds) })
  for (const requests of [3, 5]) {
    expect(await (await house.chat({ model: 'm', stream: true })).text()).toContain('3 messages')
    expect(upstream.requests).toHaveLength(requests)
  }
})
