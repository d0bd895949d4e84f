import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { type Gate, openGate, openPair, type Pair } from './harness.ts'

setDefaultTimeout(30_000)

let pair: Pair
let down: Gate
beforeAll(async () => {
  ;[pair, down] = await Promise.all([openPair(), openGate()])
})
afterAll(async () => {
  for (const each of [pair, down]) await each?.[Symbol.asyncDispose]()
})

const system = ({ ask }: Gate, name: string) => ask(`/v1/system/${name}`)
const names = ['info', 'hardware', 'models', 'health', 'config', 'memory']
const isoTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)

test('A73 what it is and what it can do', async () => {
  const { status, json } = await system(pair, 'info')
  expect(status).toBe(200)
  expect(json()).toMatchObject({
    ok: true,
    data: {
      runtime: {
        app_version: expect.stringMatching(/^\d+\.\d+\.\d+/),
        runtime_version: expect.any(String),
        uptime_secs: expect.any(Number),
        current_time: isoTime,
      },
      capabilities: {
        endpoints: expect.arrayContaining(['/v1/chat/completions', '/v1/models']),
        mcp_enabled: false,
        memory_enabled: true,
        introspection_enabled: true,
      },
    },
  })
})

test('A75 introspection can be switched off', async () => {
  await using off = await openPair({ env: { INTROSPECTION_ENABLED: 'false' } })
  const statuses = async (gate: Gate) => (await Promise.all(names.map(name => system(gate, name)))).map(({ status }) => status)
  expect(await statuses(off)).toEqual(Array(names.length).fill(404))
  expect(await statuses(pair)).toEqual(Array(names.length).fill(200))
})

test('A76 memory can be switched off', async () => {
  await using gate = await openGate({ env: { MEMORY_ENABLED: 'false' } })
  const { status, json } = await system(gate, 'memory')
  expect(status).toBe(404)
  expect(json()).toMatchObject({ ok: false, error: { code: 'disabled', message: 'memory is disabled' } })
  expect((await system(gate, 'info')).json()).toMatchObject({ data: { capabilities: { memory_enabled: false } } })
})

test('A77 Ollama is not there', async () => {
  const health = await system(down, 'health')
  expect(health.status).toBe(200)
  expect(health.json()).toMatchObject({ ok: true, data: { backend: 'ollama', status: 'unreachable', checked_at: isoTime } })
  const models = await system(down, 'models')
  expect(models.status).toBe(503)
  expect(models.json()).toMatchObject({ ok: false, error: { code: 'backend_error', message: expect.any(String) } })
  // and when it is, they say so
  expect((await system(pair, 'health')).json()).toMatchObject({ ok: true, data: { status: 'ok' } })
  expect((await system(pair, 'models')).json()).toMatchObject({ ok: true, data: { provider: 'ollama', default_model: expect.any(String) } })
})

test('A78 the system card, with what is pinned for the user who asks', async () => {
  const pinned = 'prefers answers in rhyme'
  const bob = JSON.stringify({ user_id: 'bob', pinned: [pinned], recent: [], tags: [] })
  await using pair = await openPair({
    env: { INTROSPECTION_CHAT_INJECT_ENABLED: 'true', MEMORY_DIR: 'notes' },
    files: { 'notes/users/bob.json': bob },
  })
  const cardFor = async (headers: Record<string, string>, stream = false) => {
    expect((await pair.chat({ stream }, headers)).status).toBe(200)
    const { messages } = pair.lastChat<{ messages: { role: string; content: string }[] }>()
    expect(messages.map(({ role }) => role)).toEqual(['system', 'user'])
    const card = messages[0]?.content as string
    expect(card).not.toBe('')
    expect([...card].length).toBeLessThanOrEqual(320)
    return card
  }
  for (const stream of [false, true]) {
    expect(await cardFor({ 'x-llamagate-user': 'bob' }, stream)).toContain(pinned)
    expect(await cardFor({}, stream)).not.toContain(pinned)
    expect(await cardFor({ 'x-llamagate-user': 'eve' }, stream)).not.toContain(pinned)
  }
})
