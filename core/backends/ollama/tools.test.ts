import { expect, test } from 'bun:test'
import type { GatewayError } from '../../errors.ts'
import { readTools } from './tools.ts'

const parameters = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] }
const echo = { name: 'echo', description: 'Says it again', parameters }
const now = { name: 'now' }
const tools = [
  { type: 'function', function: echo },
  { type: 'function', function: now },
]
const asSent = (name: string) =>
  name === 'echo'
    ? { type: 'function', function: echo }
    : { type: 'function', function: { name: 'now', parameters: { type: 'object', properties: {} } } }

const named = (name: string) => ({ type: 'function', function: { name } })
const allowed = (mode: string, ...names: string[]) => ({ type: 'allowed_tools', allowed_tools: { mode, tools: names.map(named) } })

const cases: [string, Record<string, unknown>, string[], string[]][] = [
  ['no tools', {}, [], []],
  ['tools', { tools }, ['echo', 'now'], []],
  ['auto', { tools, tool_choice: 'auto' }, ['echo', 'now'], []],
  ['none', { tools, tool_choice: 'none' }, [], []],
  ['required', { tools, tool_choice: 'required' }, ['echo', 'now'], ['tool_choice']],
  ['a named tool', { tools, tool_choice: named('now') }, ['now'], ['tool_choice']],
  ['allowed tools', { tools, tool_choice: allowed('auto', 'echo') }, ['echo'], []],
  ['allowed tools, one of them required', { tools, tool_choice: allowed('required', 'echo') }, ['echo'], ['tool_choice']],
  ['tools win over functions', { tools, functions: [now] }, ['echo', 'now'], ['functions']],
]

test.each(cases)('%s', (_what, payload, names, ignored) => {
  expect(readTools(payload)).toEqual({ tools: names.map(asSent), ignored, legacy: false })
})

const legacy: [string, Record<string, unknown>, string[], string[]][] = [
  ['functions', { functions: [echo, now] }, ['echo', 'now'], []],
  ['auto', { functions: [echo, now], function_call: 'auto' }, ['echo', 'now'], []],
  ['none', { functions: [echo, now], function_call: 'none' }, [], []],
  ['a named function', { functions: [echo, now], function_call: { name: 'now' } }, ['now'], ['function_call']],
]

test.each(legacy)('the older form: %s', (_what, payload, names, ignored) => {
  expect(readTools(payload)).toEqual({ tools: names.map(asSent), ignored, legacy: true })
})

test('strict is not passed on', () => {
  const strict = [{ type: 'function', function: { ...echo, strict: true } }]
  expect(readTools({ tools: strict })).toEqual({ tools: [asSent('echo')], ignored: ['tools.function.strict'], legacy: false })
})

const refused: [string, Record<string, unknown>, string][] = [
  ['a custom tool', { tools: [{ type: 'custom', custom: { name: 'x' } }] }, 'tools[0].type'],
  ['a tool that is no object', { tools: [5] }, 'tools[0]'],
  ['a tool without a function', { tools: [{ type: 'function' }] }, 'tools[0].function'],
  ['a tool without a name', { tools: [{ type: 'function', function: {} }] }, 'tools[0].function.name'],
  [
    'parameters that are no object',
    { tools: [{ type: 'function', function: { name: 'x', parameters: [] } }] },
    'tools[0].function.parameters',
  ],
  ['an unknown choice', { tools, tool_choice: 'maybe' }, 'tool_choice'],
  ['a choice that is not offered', { tools, tool_choice: named('other') }, 'tool_choice'],
  ['a function that is not offered', { functions: [now], function_call: { name: 'other' } }, 'function_call'],
  ['a function choice of the newer form', { functions: [now], function_call: 'required' }, 'function_call'],
]

test.each(refused)('%s is a 400 that names its place', (_what, payload, param) => {
  expect(() => readTools(payload)).toThrow(expect.objectContaining({ status: 400, extra: { param } }) as GatewayError)
})
