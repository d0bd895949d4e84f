import { describe, expect, test } from 'bun:test'
import { familyOf, isOpenaiOwn } from './families.ts'

describe('OpenAI’s models have the encoding of tiktoken/model.py', () => {
  test.each([
    [
      'o200k_base',
      [
        'gpt-4o',
        'gpt-4o-mini-2024-07-18',
        'chatgpt-4o-latest',
        'gpt-4.1',
        'gpt-4.1-nano',
        'gpt-4.5-preview',
        'gpt-5',
        'gpt-5.1-codex-mini',
        'o1',
        'o3-mini',
        'o4-mini',
        'ft:gpt-4o:my-org::id',
        'openai/gpt-4o',
      ],
    ],
    [
      'cl100k_base',
      [
        'gpt-4',
        'gpt-4-turbo',
        'gpt-4-32k-0314',
        'gpt-3.5-turbo',
        'gpt-35-turbo',
        'text-embedding-3-small',
        'text-embedding-ada-002',
        'davinci-002',
        'GPT-4-0613',
      ],
    ],
  ] as const)('%s', (encoding, models) => {
    for (const model of models) expect([model, familyOf(model).encoding, isOpenaiOwn(familyOf(model))]).toEqual([model, encoding, true])
  })
})

test('only the frames of the cookbook are published', () => {
  const published = (model: string) => familyOf(model).framing === 'published'
  expect(['gpt-4o', 'gpt-4o-mini', 'gpt-4', 'gpt-3.5-turbo'].map(published)).toEqual([true, true, true, true])
  expect(['gpt-4.1', 'gpt-5', 'o1', 'gpt-oss-20b', 'llama3'].map(published)).toEqual([false, false, false, false, false])
})

test.each([
  [1, ['gpt-oss:20b', 'meta-llama/Llama-4-Scout-17B-16E']],
  [
    1.05,
    [
      'llama3.2:3b',
      'meta-llama/Llama-3.3-70B-Instruct',
      'deepseek-r1-distill-llama-8b',
      'Qwen/Qwen3-32B',
      'qwen2.5vl:7b',
      'mistral-nemo',
      'mistral-small3.1',
      'gemma3:27b',
    ],
  ],
  [1.1, ['command-r', 'deepseek-v3', 'my-own-model', '']],
  [1.2, ['deepseek-coder:6.7b']],
  [1.25, ['llama2', 'codellama:7b', 'mistral:7b', 'mixtral-8x7b', 'llava:7b']],
])('models of others count %f times as much', (factor, models) => {
  for (const model of models) {
    const family = familyOf(model)
    expect([model, family.factor, isOpenaiOwn(family)]).toEqual([model, factor, false])
  }
})
