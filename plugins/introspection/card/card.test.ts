import { describe, expect, test } from 'bun:test'
import type { Context, Message, Payload, Principal } from 'gatehouse'
import { createCard } from './card.ts'
import { createKnownModels } from './known-models.ts'
import { writeCard } from './write.ts'

const info = { version: '1.2.3', mcp: true, memory: true }
const host = { os: 'linux', arch: 'amd64', cores: 8, memoryBytes: 16 * 1024 ** 3 }

describe('the text', () => {
  test('all parts, in their order', () => {
    expect(writeCard({ info, host, models: ['a', 'b', 'c', 'd', 'e', 'f'], pinned: ['likes tea', 'lives in\nUlm'] })).toBe(
      'gatehouse 1.2.3. MCP tools enabled. Memory enabled. Host: linux/amd64, 8 cores. RAM: 16384 MB total. ' +
        'Models: a, b, c, d, e. User context: likes tea; lives in Ulm',
    )
  })

  test('only what is there', () => {
    expect(writeCard({})).toBe('')
    expect(writeCard({ info: { ...info, mcp: false, memory: false } })).toBe('gatehouse 1.2.3.')
    expect(writeCard({ models: 'not listed', pinned: [] })).toBe('Models: (unable to list).')
  })

  test('at most 320 characters, 80 of the user; whole characters, and dots where it was cut', () => {
    const long = writeCard({ info, host, models: Array.from({ length: 5 }, () => '🙂'.repeat(100)) })
    expect([...long]).toHaveLength(320)
    expect(long.endsWith('🙂...')).toBe(true)
    expect(long.isWellFormed()).toBe(true)
    const user = writeCard({ pinned: ['🙂'.repeat(200)] })
    expect(user).toBe(`User context: ${'🙂'.repeat(77)}...`)
  })
})

/** As much of a context as the card sees. */
function request(operation = 'chat.completions') {
  let payload: Payload = { model: 'm', messages: [{ role: 'user', content: 'hi' }] }
  const ctx = {
    operation,
    get payload() {
      return payload
    },
    rewrite(change: Partial<Payload>) {
      payload = { ...payload, ...change }
    },
  }
  return ctx as unknown as Context
}

describe('the layer', () => {
  test('the card is written once and added once, however often the pipeline runs', async () => {
    let written = 0
    const card = createCard(async () => `card ${++written}`)
    const ctx = request()
    expect(await card.text(ctx)).toBe('card 1')
    await card.add(ctx)
    await card.add(ctx)
    const system: Message = { role: 'system', content: 'card 1' }
    expect(ctx.payload.messages).toEqual([system, { role: 'user', content: 'hi' }])
    // a tool round of a layer above: it went on from what it saw
    ctx.rewrite({ messages: [...(ctx.payload.messages ?? []), { role: 'tool', content: '4' }] })
    await card.add(ctx)
    expect(ctx.payload.messages?.filter(({ role }) => role === 'system')).toEqual([system])
    // and one that started over
    ctx.rewrite({ messages: [{ role: 'user', content: 'again' }] })
    await card.add(ctx)
    expect(ctx.payload.messages).toEqual([system, { role: 'user', content: 'again' }])
    expect(written).toBe(1)
  })

  test('no chat, no card; nothing to say, nothing added', async () => {
    const ctx = request('embeddings')
    const card = createCard(async () => 'card')
    expect(await card.text(ctx)).toBe('')
    await card.add(ctx)
    expect(ctx.payload.messages).toHaveLength(1)
    const chat = request()
    await createCard(async () => '').add(chat)
    expect(chat.payload.messages).toHaveLength(1)
  })
})

describe('the models it names', () => {
  const open: Principal = { id: 'open', kind: 'open' }
  const settled = () => new Promise(resolve => setImmediate(resolve))

  test('nobody waits: unknown, then listed, then refreshed behind the back', async () => {
    let clock = 0
    let models = ['a']
    let asked = 0
    const known = createKnownModels(
      async () => {
        asked++
        return models
      },
      () => clock,
    )
    expect(known.names(open)).toBeUndefined()
    await settled()
    models = ['b']
    expect(known.names(open)).toEqual(['a'])
    expect(known.names({ id: 'admin', kind: 'admin' })).toEqual(['a'])
    expect(asked).toBe(1)
    clock = 60_000
    expect(known.names(open)).toEqual(['a'])
    await settled()
    expect(known.names(open)).toEqual(['b'])
    expect(asked).toBe(2)
  })

  test('a list that hangs holds nobody up; one that fails is said to', async () => {
    const never = createKnownModels(
      () => new Promise(() => {}),
      () => 0,
    )
    for (let i = 0; i < 3; i++) expect(never.names(open)).toBeUndefined()
    const failing = createKnownModels(
      () => Promise.reject(new Error('down')),
      () => 0,
    )
    failing.names(open)
    await settled()
    expect(failing.names(open)).toBe('not listed')
    const empty = createKnownModels(
      async () => [],
      () => 0,
    )
    empty.names(open)
    await settled()
    expect(empty.names(open)).toBe('not listed')
  })

  test('a managed key sees its own list', async () => {
    const known = createKnownModels(
      async ({ id }) => [`model of ${id}`],
      () => 0,
    )
    const [one, two]: Principal[] = [
      { id: '1', kind: 'key' },
      { id: '2', kind: 'key' },
    ]
    for (const principal of [one, two, open]) known.names(principal as Principal)
    await settled()
    expect(known.names(one as Principal)).toEqual(['model of 1'])
    expect(known.names(two as Principal)).toEqual(['model of 2'])
    expect(known.names(open)).toEqual(['model of open'])
  })
})
