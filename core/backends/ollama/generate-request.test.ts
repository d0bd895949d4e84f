import { expect, test } from 'bun:test'
import type { GatewayError } from '../../errors.ts'
import { toGenerateRequest } from './generate-request.ts'

const translate = (fields: Record<string, unknown>) => toGenerateRequest({ model: 'gpt', prompt: 'a', ...fields }, 'm')

const mapped: [Record<string, unknown>, Record<string, unknown>[]][] = [
  [{}, [{ model: 'm', prompt: 'a', stream: false }]],
  [
    { prompt: ['a', 'b'] },
    [
      { model: 'm', prompt: 'a', stream: false },
      { model: 'm', prompt: 'b', stream: false },
    ],
  ],
  [{ suffix: 's', stream: true }, [{ model: 'm', prompt: 'a', stream: true, suffix: 's' }]],
  [
    { max_tokens: 5, temperature: 0, stop: 'x' },
    [{ model: 'm', prompt: 'a', stream: false, options: { num_predict: 5, temperature: 0, stop: ['x'] } }],
  ],
  [{ logprobs: 2 }, [{ model: 'm', prompt: 'a', stream: false, logprobs: true, top_logprobs: 2 }]],
  [{ logprobs: 0 }, [{ model: 'm', prompt: 'a', stream: false, logprobs: true, top_logprobs: 0 }]],
  [{ think: false, keep_alive: 0 }, [{ model: 'm', prompt: 'a', stream: false, think: false, keep_alive: 0 }]],
]

test.each(mapped)('%j is sent as %j', (fields, bodies) => {
  expect(translate(fields)).toMatchObject({ bodies, ignored: [] })
})

test('echo puts the prompt before each answer', () => {
  expect(translate({ prompt: ['a', 'b'], echo: true }).echoes).toEqual(['a', 'b'])
  expect(translate({ prompt: ['a', 'b'] }).echoes).toEqual(['', ''])
})

test('what has no counterpart is named', () => {
  expect(translate({ user: 'u', n: 1, best_of: 1, logit_bias: {} }).ignored).toEqual(['user', 'n', 'best_of', 'logit_bias'])
})

const refused: [Record<string, unknown>, string, string][] = [
  [{ n: 2 }, 'n', 'unsupported_parameter'],
  [{ best_of: 3 }, 'best_of', 'unsupported_parameter'],
  [{ logit_bias: { 1: 1 } }, 'logit_bias', 'unsupported_parameter'],
  [{ prompt: [1, 2] }, 'prompt', 'unsupported_parameter'],
  [{ prompt: [[1], [2]] }, 'prompt', 'unsupported_parameter'],
  [{ prompt: [] }, 'prompt', 'invalid_type'],
  [{ prompt: ['a', 5] }, 'prompt', 'invalid_type'],
  [{ prompt: null }, 'prompt', 'invalid_type'],
  [{ suffix: 5 }, 'suffix', 'invalid_type'],
  [{ echo: 'yes' }, 'echo', 'invalid_type'],
  [{ logprobs: true }, 'logprobs', 'invalid_type'],
]

test.each(refused)('%j is a 400 that names %s', (fields, param, code) => {
  expect(() => translate(fields)).toThrow(expect.objectContaining({ status: 400, code, extra: { param } }) as GatewayError)
})
