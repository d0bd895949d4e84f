import { describe, expect, test } from 'bun:test'
import { familyOf } from './families.ts'
import { imageTokens, mostImageTokens } from './images.ts'

const cost = (model: string, width: number, height: number, detail = 'high') =>
  imageTokens(familyOf(model).image, { width, height }, detail)

// the examples of OpenAI's guide, "Calculating costs"
describe('OpenAI’s own examples', () => {
  test.each([
    ['gpt-4o', 1024, 1024, 'high', 765],
    ['gpt-4o', 2048, 4096, 'high', 1105],
    ['gpt-4o', 4096, 8192, 'low', 85],
    ['gpt-4.1-mini', 1024, 1024, 'high', Math.ceil(1024 * 1.62)],
    ['gpt-4.1-mini', 1800, 2400, 'high', Math.ceil(1452 * 1.62)],
  ])('%s, %i × %i, %s', (model, width, height, detail, tokens) => {
    expect(cost(model, width, height, detail)).toBe(tokens)
  })
})

test('small images are not scaled up', () => {
  expect(cost('gpt-4o', 512, 512)).toBe(85 + 170)
  expect(cost('gpt-4o', 513, 512)).toBe(85 + 2 * 170)
  expect(cost('gpt-4o', 1, 1)).toBe(85 + 170)
  expect(cost('gpt-4.1-nano', 1, 1)).toBe(3)
})

test('each family has its own prices', () => {
  expect(cost('gpt-4o-mini', 512, 512)).toBe(2833 + 5667)
  expect(cost('gpt-5', 512, 512)).toBe(70 + 140)
  expect(cost('o1', 512, 512)).toBe(75 + 150)
  expect(cost('openai/gpt-4o-2024-08-06', 512, 512)).toBe(85 + 170)
  expect(cost('Qwen/Qwen2.5-VL-7B-Instruct', 280, 560)).toBe(10 * 20)
  expect(cost('gemma3:27b', 4000, 3000)).toBe(256)
})

test('whatever the size, the most is never less, and has an end', () => {
  let state = 1
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return 1 + ((state >>> 8) % below)
  }
  for (const model of ['gpt-4o', 'gpt-4o-mini', 'gpt-5-mini', 'gpt-4.1-nano', 'qwen2.5vl', 'gemma3', 'llava', 'anything']) {
    const rule = familyOf(model).image
    const unknown = mostImageTokens(rule, undefined, 'auto')
    for (let round = 0; round < 500; round++) {
      const size = { width: random(2 ** random(24)), height: random(2 ** random(24)) }
      const usual = imageTokens(rule, size, 'auto')
      expect(Number.isInteger(usual) && usual > 0).toBe(true)
      expect(mostImageTokens(rule, size, 'auto')).toBeGreaterThanOrEqual(usual)
      expect(mostImageTokens(rule, size, 'auto')).toBeLessThanOrEqual(unknown)
    }
    expect(imageTokens(rule, undefined, 'auto')).toBeLessThanOrEqual(unknown)
  }
})
