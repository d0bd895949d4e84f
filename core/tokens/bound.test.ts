import { describe, expect, test } from 'bun:test'
import { countTokens as cl100k } from 'gpt-tokenizer/encoding/cl100k_base'
import { countTokens as o200k } from 'gpt-tokenizer/encoding/o200k_base'
import type { Payload } from '../openai.ts'
import { boundTokens } from './bound.ts'
import { familyOf } from './families.ts'
import { mediaTokens } from './media.ts'
import { readPrompt } from './prompt.ts'

function randomly(seed: number) {
  let state = seed
  const below = (limit: number) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return (state >>> 8) % limit
  }
  return { below, one: <T>(list: readonly T[]): T => list[below(list.length)] as T }
}

const pieces = ['word', ' ', '\n', 'é', '中文', '😀', '<|im_start|>', '"', '\\', '\u0001', '1234', '&<>', '{"a":[1,2]}', 'ﷺ', '\ud800']

/** Requests of every shape, from noise. */
function request(seed: number): Payload {
  const { below, one } = randomly(seed)
  const text = () => Array.from({ length: below(20) }, () => one(pieces)).join('')
  const json = (depth: number): unknown =>
    depth === 0 ? one([text(), 12.5, true, null]) : Object.fromEntries(Array.from({ length: below(4) }, () => [text(), json(depth - 1)]))
  const part = () =>
    one([() => ({ type: 'text', text: text() }), () => text(), () => ({ type: 'thinking', thinking: text(), signature: text() })])()
  const message = () => ({
    role: one(['system', 'user', 'assistant', 'tool', text()]),
    content: one<() => unknown>([text, () => Array.from({ length: below(4) }, part), () => null])(),
    ...(below(3) === 0 && { name: text() }),
    ...(below(3) === 0 && {
      tool_calls: [{ id: text(), type: 'function', function: { name: text(), arguments: JSON.stringify(json(2)) } }],
    }),
    ...(below(5) === 0 && { reasoning_content: text() }),
  })
  const tool = () => ({
    type: 'function',
    function: { name: text(), description: text(), parameters: { type: 'object', properties: json(3), enum: [text()] } },
  })
  return {
    model: 'any',
    messages: Array.from({ length: 1 + below(5) }, message),
    ...(below(2) === 0 && { tools: Array.from({ length: below(4) }, tool) }),
    ...(below(4) === 0 && { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: json(3) } } }),
  } as Payload
}

/** Every text and name anywhere in a value. */
const textsIn = (value: unknown): string[] =>
  typeof value === 'string'
    ? [value]
    : typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, inner]) => [...(Array.isArray(value) ? [] : [key]), ...textsIn(inner)])
      : []

/**
 * A template that writes all it is given, for a model that reads bytes: what it marks is one token each, the rest a token a
 * byte. Tools and calls stand there as JSON, indented, and escaped as Python does by default.
 */
function byBytes({ messages = [], tools, response_format: format }: Payload): number {
  const ascii = (json: string) => json.replace(/[^\0-\x7f]/g, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
  const size = (text: string) => Buffer.byteLength(text)
  const asJson = (value: unknown) => (value === undefined ? 0 : size(ascii(JSON.stringify(value, null, 4))))
  const sum = messages.reduce((total, { role, content, tool_calls: calls, ...more }) => {
    const parts = [content].flat()
    const texts = parts.map(part =>
      typeof part === 'string' ? size(part) : part === null ? 0 : size(textsIn(Object.values(part as object)).join('')),
    )
    const others = textsIn(Object.values(more)).map(size)
    return total + 3 + size(`${role}\n\n`) + [...texts, ...others].reduce((a, b) => a + b, 0) + asJson(calls)
  }, 3)
  return sum + asJson(tools) + asJson(format)
}

describe('never less than', () => {
  test.each([
    ['what OpenAI’s models count', 'gpt-4o', o200k],
    ['what its older models count', 'gpt-4', cl100k],
    ['what we make of a model nobody knows', 'somebody/some-model', o200k],
  ] as const)('%s', (_name, model, count) => {
    const family = familyOf(model)
    for (let seed = 1; seed <= 500; seed++) {
      const payload = request(seed)
      const prompt = readPrompt(payload, 'chat.completions', family)
      const texts = prompt.texts.reduce((sum, text) => sum + count(text, { disallowedSpecial: new Set() }), 0)
      const exact = Math.ceil(texts * family.factor) + prompt.tokens
      expect(boundTokens(payload, 'chat.completions')).toBeGreaterThanOrEqual(exact)
      expect(boundTokens(payload, 'chat.completions', [model])).toBeGreaterThanOrEqual(exact)
    }
  })

  test('what a model would count that reads bytes', () => {
    for (let seed = 1; seed <= 2000; seed++) {
      const payload = request(seed)
      expect([seed, boundTokens(payload, 'chat.completions') >= byBytes(payload)]).toEqual([seed, true])
    }
  })

  test('the bytes of prompts and inputs', () => {
    const { below, one } = randomly(5)
    for (let round = 0; round < 500; round++) {
      const texts = Array.from({ length: 1 + below(5) }, () => Array.from({ length: below(30) }, () => one(pieces)).join(''))
      const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
      expect(boundTokens({ model: 'm', input: texts }, 'embeddings')).toBeGreaterThanOrEqual(bytes + texts.length)
      expect(boundTokens({ model: 'm', prompt: texts.join(' ') }, 'completions')).toBeGreaterThanOrEqual(bytes)
      const documents = { model: 'm', query: 'how?', documents: texts }
      expect(boundTokens(documents, 'rerank')).toBeGreaterThanOrEqual(bytes + texts.length * 4)
      expect(boundTokens({ model: 'm', input_prefix: texts[0], input_suffix: texts[1] ?? '' }, 'infill')).toBeGreaterThanOrEqual(
        Buffer.byteLength(texts[0] as string),
      )
    }
    expect(boundTokens({ model: 'm', prompt: [[1, 2, 3], [4]] }, 'completions')).toBeGreaterThanOrEqual(4)
  })

  test('what pictures, sound and files cost', () => {
    const png = Buffer.from('89504e470d0a1a0a0000000d4948445200000320000002580802000000', 'hex').toString('base64')
    const wave = Buffer.alloc(64_000)
    wave.write('RIFF\0\0\0\0WAVEfmt ', 'latin1')
    wave.writeUInt32LE(32_000, 28)
    const parts = [
      { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } },
      { type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'low' } },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } },
      { type: 'input_image', image_url: `data:image/png;base64,${png}` },
      { type: 'input_audio', input_audio: { data: wave.toString('base64'), format: 'wav' } },
      { type: 'input_audio', input_audio: { data: 'AAAA'.repeat(10_000), format: 'mp3' } },
      { type: 'file', file: { file_data: `data:application/pdf;base64,${'AAAA'.repeat(10_000)}` } },
      { type: 'file', file: { file_id: 'file-1' } },
    ]
    for (const model of ['gpt-4o', 'gpt-4o-mini', 'gpt-5-nano', 'qwen2.5vl:7b', 'gemma3', 'llava', 'else']) {
      for (const part of parts) {
        const payload = { model, messages: [{ role: 'user', content: [part] }] }
        const family = familyOf(model)
        const [media] = readPrompt(payload, 'chat.completions', family).media
        const cost = media && mediaTokens(media, family)
        expect(cost).toBeGreaterThan(0)
        expect(boundTokens(payload, 'chat.completions')).toBeGreaterThanOrEqual(cost as number)
        expect(boundTokens(payload, 'chat.completions', [model])).toBeGreaterThanOrEqual(cost as number)
      }
    }
  })
})

describe('and not much more than needed', () => {
  test('a short chat', () => {
    expect(boundTokens({ model: 'm', messages: [{ role: 'user', content: 'hi' }] }, 'chat.completions')).toBeLessThan(300)
  })

  test('a megabyte of text is a megabyte', () => {
    const content = 'word '.repeat(200_000)
    expect(boundTokens({ model: 'm', messages: [{ role: 'user', content }] }, 'chat.completions')).toBeLessThan(1_000_300)
  })

  test('a picture counts by its size, not by its bytes', () => {
    const url = `data:image/jpeg;base64,${'A'.repeat(10_000_000)}`
    const payload = { model: 'm', messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] }
    expect(boundTokens(payload, 'chat.completions')).toBeLessThan(50_000)
    expect(boundTokens(payload, 'chat.completions', ['gpt-4o'])).toBeLessThan(2000)
  })
})

test('nonsense is no trouble', () => {
  for (const messages of [undefined, null, 'text', 7, [null, 7, 'text', [], { role: 5, content: { deep: [{}] } }]]) {
    const payload = { model: 'm', messages, tools: 'none', input: {}, prompt: [null, {}] } as unknown as Payload
    for (const operation of ['chat.completions', 'embeddings', 'completions', 'rerank', 'messages', 'responses', 'audio', '/x']) {
      expect(boundTokens(payload, operation)).toBeGreaterThanOrEqual(0)
      expect(() => readPrompt(payload, operation, familyOf('m'))).not.toThrow()
      expect(() => readPrompt(payload, operation, familyOf('gpt-4o'))).not.toThrow()
    }
  }
})
