import { expect, test } from 'bun:test'
import type { GatewayError } from '../../errors.ts'
import { readMessages } from './messages.ts'

type Message = Record<string, unknown>

const png = 'iVBORw0KGgo='
const text = (value: string) => ({ type: 'text', text: value })
const image = (url: string) => ({ type: 'image_url', image_url: { url, detail: 'low' } })
const call = (id: string, name: string, given: string) => ({ id, type: 'function', function: { name, arguments: given } })

const translated: [string, Message[], Message[]][] = [
  ['a string', [{ role: 'user', content: 'hi' }], [{ role: 'user', content: 'hi' }]],
  ['null', [{ role: 'assistant', content: null }], [{ role: 'assistant', content: '' }]],
  ['text parts', [{ role: 'user', content: [text('a'), text('b')] }], [{ role: 'user', content: 'a\nb' }]],
  ['a refusal', [{ role: 'assistant', content: null, refusal: 'no' }], [{ role: 'assistant', content: 'no' }]],
  ['a refusal part', [{ role: 'assistant', content: [{ type: 'refusal', refusal: 'no' }] }], [{ role: 'assistant', content: 'no' }]],
  [
    'images beside text',
    [
      {
        role: 'user',
        content: [image(`data:image/png;base64,${png}`), text('see'), image(`data:image/svg+xml;charset=utf-8;base64,${png}`)],
      },
    ],
    [{ role: 'user', content: 'see', images: [png, png] }],
  ],
  [
    'an image without a type, and one that is a bare string',
    [{ role: 'user', content: [image(`data:;base64,${png}`), { type: 'image_url', image_url: `DATA:image/webp;base64,${png}` }] }],
    [{ role: 'user', content: '', images: [png, png] }],
  ],
  ['a developer message', [{ role: 'developer', content: 'be' }], [{ role: 'system', content: 'be' }]],
  [
    'a tool round: arguments become an object, the result gets the name of its tool',
    [
      { role: 'assistant', content: null, tool_calls: [call('c1', 'echo', '{"text":"x"}'), call('c2', 'now', '')] },
      { role: 'tool', tool_call_id: 'c2', content: 'noon' },
      { role: 'tool', tool_call_id: 'c1', content: [text('x')] },
      { role: 'tool', tool_call_id: 'c1', name: 'own', content: 'y' },
    ],
    [
      {
        role: 'assistant',
        content: '',
        tool_calls: [
          { id: 'c1', function: { index: 0, name: 'echo', arguments: { text: 'x' } } },
          { id: 'c2', function: { index: 1, name: 'now', arguments: {} } },
        ],
      },
      { role: 'tool', content: 'noon', tool_name: 'now', tool_call_id: 'c2' },
      { role: 'tool', content: 'x', tool_name: 'echo', tool_call_id: 'c1' },
      { role: 'tool', content: 'y', tool_name: 'own', tool_call_id: 'c1' },
    ],
  ],
  [
    'the older functions',
    [
      { role: 'assistant', content: null, function_call: { name: 'echo', arguments: '{"text":"x"}' } },
      { role: 'function', name: 'echo', content: 'x' },
    ],
    [
      { role: 'assistant', content: '', tool_calls: [{ function: { index: 0, name: 'echo', arguments: { text: 'x' } } }] },
      { role: 'tool', content: 'x', tool_name: 'echo' },
    ],
  ],
  [
    'thinking, under both names',
    [
      { role: 'assistant', content: 'a', reasoning_content: 'hm' },
      { role: 'assistant', content: 'b', reasoning: 'well' },
    ],
    [
      { role: 'assistant', content: 'a', thinking: 'hm' },
      { role: 'assistant', content: 'b', thinking: 'well' },
    ],
  ],
  ['a role Ollama may know', [{ role: 'constructor', content: 'a' }], [{ role: 'constructor', content: 'a' }]],
]

test.each(translated)('%s', (_what, messages, expected) => {
  expect(readMessages(messages)).toEqual({ messages: expected, ignored: [] })
})

test('a name has no place but in a tool message', () => {
  expect(readMessages([{ role: 'user', name: 'ann', content: 'hi' }])).toEqual({
    messages: [{ role: 'user', content: 'hi' }],
    ignored: ['messages.name'],
  })
})

test('an image of 20 MB is not copied through a regular expression', () => {
  const data = 'A'.repeat(20 << 20)
  const started = performance.now()
  const { messages } = readMessages([{ role: 'user', content: [image(`data:image/png;base64,${data}`)] }])
  expect(messages[0]).toMatchObject({ images: [data] })
  expect(performance.now() - started).toBeLessThan(1000)
})

const user = (part: unknown) => [{ role: 'user', content: [text('a'), part] }]

const refused: [string, Message[], string][] = [
  ['an http image', user(image('http://host/a.png')), 'messages[0].content[1].image_url'],
  ['an https image', user(image('https://host/a.png')), 'messages[0].content[1].image_url'],
  ['an image that is no base64 data: URL', user(image('data:image/png,abc')), 'messages[0].content[1].image_url'],
  ['a data: URL that is no image', user(image('data:text/plain;base64,YQ==')), 'messages[0].content[1].image_url'],
  ['audio', user({ type: 'input_audio', input_audio: { data: '', format: 'wav' } }), 'messages[0].content[1].input_audio'],
  ['a file', user({ type: 'file', file: { file_id: 'f' } }), 'messages[0].content[1].file'],
  ['an unknown part', user({ type: 'video' }), 'messages[0].content[1].type'],
  ['a part that is no object', user('b'), 'messages[0].content[1]'],
  ['a text part without text', user({ type: 'text' }), 'messages[0].content[1].text'],
  ['content that is a number', [{ role: 'user', content: 5 }], 'messages[0].content'],
  [
    'arguments that are no JSON',
    [{ role: 'assistant', tool_calls: [call('c', 'f', '{"a":')] }],
    'messages[0].tool_calls[0].function.arguments',
  ],
  [
    'arguments that are no object',
    [{ role: 'assistant', tool_calls: [call('c', 'f', '[1]')] }],
    'messages[0].tool_calls[0].function.arguments',
  ],
  ['a call without a name', [{ role: 'assistant', tool_calls: [{ function: {} }] }], 'messages[0].tool_calls[0].function.name'],
  ['a call without a function', [{ role: 'assistant', tool_calls: [{ id: 'c' }] }], 'messages[0].tool_calls[0].function'],
  ['calls that are no list', [{ role: 'assistant', tool_calls: 'x' }], 'messages[0].tool_calls'],
  ['an id that is a number', [{ role: 'tool', tool_call_id: 5, content: '' }], 'messages[0].tool_call_id'],
]

test.each(refused)('%s is a 400 that names its place', (_what, messages, param) => {
  const read = () => readMessages(messages)
  expect(read).toThrow(expect.objectContaining({ status: 400, extra: { param } }) as GatewayError)
})
