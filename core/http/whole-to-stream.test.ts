import { expect, test } from 'bun:test'
import { createNormaliser } from './normalise.ts'
import { toEvents } from './whole-to-stream.ts'

const head = { id: 'chatcmpl-1', created: 1, model: 'm', system_fingerprint: 'f' }
const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }
const call = { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }

test('a whole chat becomes a stream that needs no repair', () => {
  const text = toEvents(
    {
      ...head,
      object: 'chat.completion',
      choices: [
        { index: 0, message: { role: 'assistant', content: 'hi', reasoning: 'hm' }, finish_reason: 'stop' },
        {
          index: 1,
          message: { role: 'assistant', content: null, tool_calls: [call, { ...call, id: 'call_2' }] },
          finish_reason: 'tool_calls',
        },
      ],
      usage,
    },
    { chat: true, includeUsage: true },
  )
  const chunks = text
    .split('\n\n')
    .filter(Boolean)
    .map(block => block.slice('data: '.length))
  expect(chunks.at(-1)).toBe('[DONE]')
  const parsed = chunks.slice(0, -1).map(chunk => JSON.parse(chunk))
  expect(parsed[0]).toEqual({
    ...head,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta: { role: 'assistant', content: 'hi', reasoning: 'hm' }, finish_reason: null }],
  })
  expect(parsed[1].choices[0].delta.tool_calls.map(({ index, id }: { index: number; id: string }) => [index, id])).toEqual([
    [0, 'call_1'],
    [1, 'call_2'],
  ])
  expect(parsed.slice(2, 4).map(({ choices }) => choices[0].finish_reason)).toEqual(['stop', 'tool_calls'])
  expect(parsed[4]).toMatchObject({ choices: [], usage })
  const normaliser = createNormaliser({
    operation: 'chat.completions',
    model: 'm',
    includeUsage: true,
    usage: { promptTokens: 0, completionTokens: 0 },
    newId: () => 'x',
  })
  expect(Buffer.concat([normaliser.feed(new TextEncoder().encode(text)), normaliser.end()]).toString()).toBe(text)
})

test('a completion', () => {
  const text = toEvents(
    { ...head, object: 'text_completion', choices: [{ index: 0, text: 'hi', logprobs: null, finish_reason: 'length' }], usage },
    { chat: false, includeUsage: false },
  )
  expect(text).toContain('"text":"hi"')
  expect(text).not.toContain('usage')
  expect(text).toEndWith('data: [DONE]\n\n')
})
