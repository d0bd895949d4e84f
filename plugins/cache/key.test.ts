import { describe, expect, test } from 'bun:test'
import { anonymous, type Context, type Operation, type Principal, type ResolvedModel } from 'gatehouse'
import pino from 'pino'
import { openAbort } from '../../core/abort.ts'
import { openContext } from '../../core/open-context.ts'
import { keyOf, type Surroundings } from './key.ts'
import { scopeOf } from './scope.ts'
import { randomOf } from './testing/random.ts'

const target = { backend: 'home', model: 'm', weight: 1, set: {}, strip: [] }
const model: ResolvedModel = { asked: 'm', name: 'm', strategy: 'failover', targets: [target] }
const around: Surroundings = { model, scope: 'all', below: '', config: 'c' }
const open: Principal = { id: 'open', kind: 'open' }

interface Change {
  readonly operation?: Operation
  readonly principal?: Principal
  readonly headers?: Readonly<Record<string, string>>
  readonly around?: Partial<Surroundings>
}

async function contextOf(body: string, { operation = 'chat.completions', principal = open, headers = {} }: Change = {}): Promise<Context> {
  const path = `/v1/${operation.replace('.', '/')}`
  const request = new Request(`http://localhost${path}`, { method: 'POST', body, headers })
  const arrival = { request, path, ip: '', operation, access: 'key', limited: true, body: 'operation' } as const
  const log = pino({ level: 'silent' })
  const { ctx } = openContext(arrival, 'id', openAbort(request), { log, bodyLimit: 1e8, models: { resolve: () => model } }, {}, () => {})
  await ctx.read()
  ctx.principal = principal
  return ctx
}

const keyOfText = async (body: string, change: Change = {}) => {
  const scope = scopeOf(change.principal ?? open, 'auto') as string
  return keyOf(await contextOf(body, change), { ...around, scope, ...change.around })
}
const keyOfJson = (json: unknown, change: Change = {}) => keyOfText(JSON.stringify(json), change)

const weather = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'The weather of a town, ☀ or ☂',
    parameters: { type: 'object', properties: { town: { type: 'string', enum: ['Ghent', 'Łódź'] } }, required: ['town'] },
  },
}
const real: readonly { readonly operation: Operation; readonly body: Readonly<Record<string, unknown>> }[] = [
  {
    operation: 'chat.completions',
    body: {
      model: 'm',
      messages: [
        { role: 'system', content: 'You are terse.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is this?' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
          ],
        },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"town":"Ghent"}' } }],
        },
        { role: 'tool', tool_call_id: 'call_1', content: '12 °C' },
      ],
      tools: [weather],
      tool_choice: 'auto',
      response_format: { type: 'json_schema', json_schema: { name: 'x', strict: true, schema: { type: 'object', properties: {} } } },
      temperature: 0.2,
      seed: 1,
      top_p: 0.5,
      stop: ['\n', 'END'],
      max_tokens: 100,
      logit_bias: { '50256': -100 },
      chat_template_kwargs: { enable_thinking: false },
    },
  },
  { operation: 'completions', body: { model: 'm', prompt: ['one', 'two'], max_tokens: 7, echo: true, suffix: '', n: 1, logprobs: 0 } },
  { operation: 'embeddings', body: { model: 'm', input: [[1, 2, 3], [4]], encoding_format: 'base64', dimensions: 256 } },
]

/** The same JSON in another order of fields, with other white space, escapes and spellings of numbers. */
function respell(value: unknown, random: () => number): string {
  const gap = () => [' ', '\n', '\t', '', ''][Math.floor(random() * 5)] ?? ''
  if (typeof value === 'number') {
    const others = Number.isInteger(value) ? [`${value}.0`, `${value}e0`, `${value}.00E+0`] : [`${value}e0`, `${value}00`]
    return [String(value), ...others][Math.floor(random() * (others.length + 1))] as string
  }
  if (typeof value === 'string') {
    const letters = Array.from({ length: value.length }, (_, i) => value.charCodeAt(i))
    const escaped = (code: number) => `\\u${code.toString(16).padStart(4, '0')}`
    return `"${letters.map(code => (random() < 0.1 ? escaped(code) : JSON.stringify(String.fromCharCode(code)).slice(1, -1))).join('')}"`
  }
  if (typeof value !== 'object' || value === null) return String(value)
  if (Array.isArray(value)) return `[${value.map(item => gap() + respell(item, random) + gap()).join(',')}]`
  const fields = Object.entries(value).map(([name, field]) => `${gap()}${respell(name, random)}${gap()}:${gap()}${respell(field, random)}`)
  return `{${fields
    .map(field => ({ field, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ field }) => field)
    .join(',')}${gap()}}`
}

/** Every value that differs from this one in a single place. */
function* variants(value: unknown): Generator<unknown> {
  yield* [null, true, false, 0, 1, '', 'null', '0', 'true', [], {}, [value], { value }, { '': value }].filter(
    other => !Bun.deepEquals(other, value, true),
  )
  if (typeof value === 'string') {
    yield* [
      `${value} `,
      ` ${value}`,
      `${value}\u0000`,
      `${value}"`,
      `${value}\\`,
      value.slice(1),
      `${value}é`,
      `${value}e\u0301`,
      `${value}\ud800`,
      `${value}\ud801`,
    ].filter(other => other !== value)
  }
  if (typeof value === 'number')
    yield* [-value, value + 1, value + 2 ** -40, value * 10, String(value)].filter(other => !Object.is(other, value))
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) {
      yield value.toSpliced(i, 1)
      yield value.toSpliced(i, 0, item)
      yield value.toSpliced(i, 0, null)
      for (const other of variants(item)) yield value.with(i, other)
    }
    if (value.length > 1) yield value.toReversed()
  } else if (typeof value === 'object' && value !== null) {
    yield { ...value, unheard_of: null }
    for (const [name, field] of Object.entries(value)) {
      const { [name]: _, ...others } = value as Record<string, unknown>
      yield others
      yield { ...others, [`${name}_`]: field }
      if (name.toUpperCase() !== name) yield { ...others, [name.toUpperCase()]: field }
      for (const other of variants(field)) yield { ...others, [name]: other }
    }
  }
}

describe.each(real)('$operation', ({ operation, body }) => {
  test('whatever is changed, the key is another one', async () => {
    const seen = new Map([[await keyOfJson(body, { operation }), JSON.stringify(body)]])
    let count = 1
    const written = new Set(seen.values())
    for (const [name, field] of Object.entries(body)) {
      const { [name]: _, ...others } = body
      const changed = name === 'model' || name === 'messages' || name === 'prompt' || name === 'input' ? [] : [others]
      // what the gateway itself refuses has no key
      for (const value of variants(field)) changed.push({ ...others, [name]: value })
      for (const json of [...changed, { ...body, [`${name}s`]: field }]) {
        const text = JSON.stringify(json)
        if (written.has(text)) continue
        written.add(text)
        const key = await keyOfText(text, { operation }).catch(() => undefined)
        if (key === undefined) continue
        expect([seen.get(key) ?? 'no other', text]).toEqual(['no other', text])
        seen.set(key, text)
        count++
      }
    }
    expect(count).toBeGreaterThan(operation === 'chat.completions' ? 1000 : 60)
  })

  test('however it is written, the key is the same', async () => {
    const random = randomOf(7)
    const key = await keyOfJson(body, { operation })
    for (let i = 0; i < 200; i++) expect(await keyOfText(respell(body, random), { operation })).toBe(key as string)
  })
})

describe('what does not change the answer does not change the key', () => {
  test.each([
    { stream: false },
    { stream: true },
    { stream: null },
    { stream_options: { include_usage: true } },
    { user: 'bob' },
    { metadata: { run: '7' } },
  ])('%j', async fields => {
    const { operation, body } = real[0] as (typeof real)[0]
    expect(await keyOfJson({ ...body, ...fields }, { operation })).toBe((await keyOfJson(body, { operation })) as string)
  })

  test('a field called like a hidden one of JavaScript is a field', async () => {
    const ask = (fields: string) => keyOfText(`{"model":"m","messages":[{"role":"user"${fields}}]${fields}}`)
    const fields = ['', ',"__proto__":1', ',"__proto__":{"a":1}', ',"constructor":1', ',"toString":1', ',"hasOwnProperty":null']
    expect(new Set(await Promise.all(fields.map(ask))).size).toBe(fields.length)
  })

  test('but the same names further down do', async () => {
    const ask = (fields: object) => keyOfJson({ model: 'm', messages: [{ role: 'user', content: 'x', ...fields }] })
    expect(await ask({ user: 'bob' })).not.toBe((await ask({ user: 'eve' })) as string)
  })
})

describe('numbers', () => {
  const ask = (number: string) => keyOfText(`{"model":"m","messages":[{"role":"user"}],"x":[{"y":[${number}]}]}`)

  test.each(
    [
      ['1', '1.0', '1e0', '10E-1', '0.1e1', '1.000'],
      ['9007199254740993', '9007199254740993.0', '9007199254740993e0', '9.007199254740993e15', '90071992547409930e-1'],
      ['1e22', '10000000000000000000000', '0.01e24'],
      ['1e400', '10e399', '1.0e+400'],
      ['-0', '-0.0', '-0e5'],
    ].map(spellings => ({ spellings })),
  )('$spellings are one', async ({ spellings }) => {
    expect(new Set(await Promise.all(spellings.map(ask))).size).toBe(1)
  })

  test('that only long integers tell apart', async () => {
    const numbers = [
      '9007199254740991',
      '9007199254740992',
      '9007199254740993',
      '-9007199254740993',
      '12345678901234567890',
      '12345678901234567891',
      '1e400',
      '2e400',
      '-1e400',
      '1e22',
      '0',
      '-0',
      'null',
      '"9007199254740993"',
      '"-0"',
      '9007199254740993e0,9',
      '1e99999999999999999',
      '1e99999999999999998',
    ]
    const keys = await Promise.all(numbers.map(ask))
    expect(new Set(keys).size).toBe(numbers.length)
    expect(keys).not.toContain(undefined)
  })

  test('the long one of two that JavaScript takes for the same', async () => {
    const both = (a: string, b: string) => keyOfText(`{"model":"m","messages":[{"role":"user"}],"a":${a},"b":${b}}`)
    const [even, odd] = ['9007199254740992', '9007199254740993']
    const keys = await Promise.all([both(even, even), both(even, odd), both(odd, even), both(odd, odd)])
    expect(new Set(keys).size).toBe(4)
  })

  test('long ones that a layer above has left alone, and changed', async () => {
    const ctx = await contextOf('{"model":"m","messages":[{"role":"user"}],"seed":9007199254740993}')
    const before = keyOf(ctx, around)
    ctx.rewrite({ temperature: 0 })
    const after = keyOf(ctx, around)
    expect(after).not.toBe(before as string)
    expect(after).toBe((await keyOfText('{"seed":9007199254740993,"temperature":0,"model":"m","messages":[{"role":"user"}]}')) as string)
  })

  test('hostile ones: no key rather than a long wait', async () => {
    expect(await ask(Array(20_000).fill('9007199254740993').join(','))).toBeUndefined()
    const start = performance.now()
    for (const digits of [`1${'0'.repeat(200_000)}1`, `1${'01'.repeat(100_000)}`, `0.${'0'.repeat(200_000)}1e400000`]) await ask(digits)
    expect(performance.now() - start).toBeLessThan(1000)
  })
})

describe('beside the payload', () => {
  const changes: Readonly<Record<string, Change>> = {
    operation: { operation: 'embeddings' },
    'one key': { principal: { id: '1', kind: 'key' } },
    'another key': { principal: { id: '2', kind: 'key' } },
    'openai-beta': { headers: { 'openai-beta': 'x' } },
    'anthropic-beta': { headers: { 'anthropic-beta': 'x' } },
    'the layers below': { around: { below: 'a card' } },
    'the config': { around: { config: 'd' } },
    'the asked name': { around: { model: { ...model, asked: 'alias' } } },
    'the name': { around: { model: { ...model, name: 'other' } } },
    'the name there': { around: { model: { ...model, targets: [{ ...target, model: 'n' }] } } },
    'the backend': { around: { model: { ...model, targets: [{ ...target, backend: 'box' }] } } },
    'what it sets': { around: { model: { ...model, targets: [{ ...target, set: { temperature: 0 } }] } } },
    'what it strips': { around: { model: { ...model, targets: [{ ...target, strip: ['seed'] }] } } },
    'one more target': { around: { model: { ...model, targets: [target, target] } } },
  }
  const body = { model: 'm', messages: [{ role: 'user', content: 'x' }], input: 'x' }

  test('all that can change the answer has keys of its own', async () => {
    const keys = await Promise.all([{}, ...Object.values(changes)].map(change => keyOfJson(body, change)))
    expect(new Set(keys).size).toBe(Object.keys(changes).length + 1)
  })

  test('who asks does not, except for managed keys', async () => {
    const principals: Principal[] = [open, { id: 'api-key', kind: 'static' }, { id: 'admin', kind: 'admin' }, anonymous]
    const keys = await Promise.all(principals.map(principal => keyOfJson(body, { principal })))
    expect(new Set(keys).size).toBe(1)
    const named = await Promise.all([
      keyOfJson(body, { principal: { id: '1', kind: 'key' } }),
      keyOfJson(body, { principal: { id: '1', kind: 'key', cacheScope: 'key' } }),
    ])
    expect(named[0]).toBe(named[1] as string)
  })

  test('nor does where the request comes from, or how it is traced', async () => {
    const headers = { traceparent: '00-1-2-01', 'user-agent': 'x', cookie: 'y', 'x-request-id': 'z' }
    expect(await keyOfJson(body, { headers })).toBe((await keyOfJson(body)) as string)
  })

  test('a key is SHA-256 in hexadecimal', async () => expect(await keyOfJson(body)).toMatch(/^[0-9a-f]{64}$/))
})
