import { expect, test } from 'bun:test'
import type { Context, Payload } from 'gatehouse'
import pino from 'pino'
import { createToolLayer } from './layer.ts'
import type { ToolSettings } from './settings.ts'
import { fakeTools } from './testing/fake-tools.ts'

const settings: ToolSettings = {
  inject: 'auto',
  max_tool_rounds: 10,
  max_tool_calls_per_round: 10,
  max_total_tool_calls: 50,
  default_tool_timeout: 30_000,
  max_tool_result_size: 1_048_576,
  allow_tools: [],
  deny_tools: [],
  resource_fetch_timeout: 30_000,
}
const options = { parallel_calls: 8, total_tool_time: 300_000, max_resources: 20, on_resource_error: 'skip' } as const
const messages = Array.from({ length: 20 }, (_, index) => ({
  role: index % 2 ? 'assistant' : 'user',
  content: 'some text of a chat '.repeat(50),
}))

/** As much of a context as the layer may touch; what it touches is counted. */
function request(payload: Payload, headers: Record<string, string> = {}) {
  const touched: string[] = []
  const known = {
    operation: 'chat.completions',
    payload,
    principal: { id: 'open', kind: 'open' },
    request: new Request('http://x', { headers }),
    model: undefined,
  }
  const ctx = new Proxy(known as unknown as Context, {
    get(target, name) {
      touched.push(String(name))
      return Reflect.get(target, name)
    },
  })
  return { ctx, touched }
}

const answer = Promise.resolve(new Response())
const next = () => answer

test('a chat without tools: its fields are looked at once, nothing is made, nothing is waited for', () => {
  const tools = fakeTools([])
  const { handle, fingerprint } = createToolLayer({ house: tools, settings, options, log: pino({ enabled: false }) })
  const { ctx, touched } = request({ model: 'm', messages })
  expect(handle(ctx, next)).toBe(answer) // the very promise: no layer of our own around it
  expect(tools.listed()).toBe(1)
  expect(touched.filter(name => ['rewrite', 'signal', 'log', 'headers', 'observe', 'onSettled', 'wire', 'url'].includes(name))).toEqual([])
  expect(touched.length).toBeLessThan(12)
  expect(fingerprint(ctx)).toBe('')
})

test('neither does one that wants none of those there are', () => {
  const { handle } = createToolLayer({ house: fakeTools(), settings, options, log: pino({ enabled: false }) })
  const { ctx, touched } = request({ model: 'm', messages }, { 'x-mcp-tools': 'none' })
  expect(handle(ctx, next)).toBe(answer)
  expect(touched).not.toContain('rewrite')
})

test('what is told of tools is written once, not for each request', () => {
  const { grants, fingerprint } = createToolLayer({ house: fakeTools(), settings, options, log: pino({ enabled: false }) })
  const { ctx } = request({ model: 'm', messages })
  const prints = new Set(Array.from({ length: 10 }, () => fingerprint(ctx)))
  expect(prints.size).toBe(1)
  expect([...prints][0]).not.toBe('')
  expect(grants.refusal('mcp.fake.echo', ctx.principal)).toBeUndefined()
})
