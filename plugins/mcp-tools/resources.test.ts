import { describe, expect, test } from 'bun:test'
import { fakeOpenai } from '../../core/testing/fake-openai.ts'
import { makeKey } from '../../core/testing/managed-key.ts'
import { findResources } from './resource-uris.ts'
import { fakeTools } from './testing/fake-tools.ts'
import { openRig } from './testing/house.ts'

type Messages = readonly { readonly role: string; readonly content: string }[]

async function asked(content: unknown, { options = {}, mcp = {}, fields = {} }: { options?: object; mcp?: object; fields?: object } = {}) {
  await using fake = await fakeOpenai()
  await using house = await openRig({ upstream: fake, options, mcp })
  const response = await house.chat({ model: 'echo', messages: [{ role: 'user', content }], ...fields })
  const body = await response.text()
  const messages = (fake.requests[0]?.json as { messages: Messages } | undefined)?.messages
  return { status: response.status, body, messages, reads: house.tools.reads, warning: response.headers.get('x-mcp-warning') }
}

describe('what is found', () => {
  const uris = (content: unknown, role = 'user') =>
    findResources([{ role, content }]).map(({ server, resource }) => `${server} ${resource}`)

  test('in texts and in parts, each once, without what ends a sentence', () => {
    expect(uris('see mcp://web/file:///a.txt.')).toEqual(['web file:///a.txt'])
    expect(uris('(mcp://web/file:///a(1).txt), "mcp://db/query://users?x=1#y"! mcp://web/file:///a(1).txt')).toEqual([
      'web file:///a(1).txt',
      'db query://users?x=1#y',
    ])
    expect(uris([{ type: 'text', text: '[a](mcp://web/x:y)' }, { type: 'image_url' }, { type: 'text', text: '<mcp://b/c:d>' }])).toEqual([
      'web x:y',
      'b c:d',
    ])
    expect(uris('mcp://web/file%3A%2F%2F%2Fa%20b.txt mcp://web/file:///a%20b.txt')).toEqual([
      'web file:///a b.txt',
      'web file:///a%20b.txt',
    ])
    expect(uris('MCP://web/a mcp:// mcp://web mcp://web/ mcp://we.b/x mcp://web/%zz')).toEqual([])
  })

  test('only what the user and the system say', () => {
    for (const role of ['user', 'system', 'developer']) expect(uris('mcp://a/b:c', role)).toEqual(['a b:c'])
    for (const role of ['assistant', 'tool']) expect(uris('mcp://a/b:c', role)).toEqual([])
  })

  test('a long message is read in no time', () => {
    const begun = performance.now()
    uris(`mcp://a/${')'.repeat(200_000)} ${'mcp://'.repeat(200_000)} mcp://a/${'(,'.repeat(200_000)}`)
    expect(performance.now() - begun).toBeLessThan(2000)
  })
})

describe('what becomes of it', () => {
  test.each([false, true])('one system message in front, the text as it was (stream: %p)', async stream => {
    const { messages, warning, reads } = await asked('see mcp://web/file:///a.txt, mcp://web/file:///a.txt', { fields: { stream } })
    expect(messages).toEqual([
      { role: 'system', content: 'Resource from mcp://web/file:///a.txt:\nALPHA\n[resource: file:///a.txt, image/png, 8 bytes]' },
      { role: 'user', content: 'see mcp://web/file:///a.txt, mcp://web/file:///a.txt' },
    ])
    expect(reads).toEqual(['web file:///a.txt'])
    expect(warning).toBeNull()
  })

  test('also when tools run', async () => {
    await using fake = await fakeOpenai()
    await using house = await openRig({ upstream: fake })
    await (await house.chat({ messages: [{ role: 'user', content: 'mcp://web/file:///a.txt' }] })).text()
    const last = fake.requests[1]?.json as { messages: Messages }
    expect(last.messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'tool'])
    expect(house.extended()).toEqual([2, 4])
  })

  test('what cannot be read is passed over, with a warning', async () => {
    const { status, messages, warning } = await asked('mcp://nope/file:///a.txt mcp://web/file:///é.txt mcp://web/file:///a.txt')
    expect(status).toBe(200)
    expect(messages?.[0]?.content).toContain('ALPHA')
    expect(messages?.[0]?.content).not.toContain('nope')
    expect(warning).toBe('mcp://nope/file:///a.txt: it could not be read, mcp://web/file:///%C3%A9.txt: it could not be read')
  })

  test('or is an error, when the config says so', async () => {
    const { status, body, messages } = await asked('mcp://web/file:///b.txt', { options: { on_resource_error: 'fail' } })
    expect(status).toBe(422)
    expect(JSON.parse(body).error).toMatchObject({
      type: 'resource_unavailable',
      message: expect.stringContaining('mcp://web/file:///b.txt'),
    })
    expect(messages).toBeUndefined()
  })

  test('time, size and number have bounds', async () => {
    const mcp = { resource_fetch_timeout: '30ms', max_tool_result_size: 101 }
    const { messages, warning, reads } = await asked('mcp://web/file:///late.txt mcp://web/file:///big.txt mcp://web/file:///a.txt', {
      mcp,
      options: { max_resources: 2 },
    })
    expect(messages?.[0]?.content).toBe(`Resource from mcp://web/file:///big.txt:\n${'é'.repeat(50)}\n... [truncated]`)
    expect(warning).toContain('late.txt: timed out after 0.03s')
    expect(warning).toContain('a.txt: only 2 are read')
    expect(reads).toHaveLength(2)
  })

  test('a managed key reads nothing that it was not given', async () => {
    await using fake = await fakeOpenai()
    await using house = await openRig({ upstream: fake, tools: fakeTools() })
    const { headers } = await makeKey(house, { allowedTools: ['*'] })
    const response = await house.chat({ model: 'echo', messages: [{ role: 'user', content: 'mcp://web/file:///a.txt' }] }, headers)
    expect(response.headers.get('x-mcp-warning')).toBe('mcp://web/file:///a.txt: this API key may not read it')
    expect(house.tools.reads).toEqual([])
  })
})
