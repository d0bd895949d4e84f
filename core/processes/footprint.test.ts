import { describe, expect, test } from 'bun:test'
import { predictFootprint } from './footprint.ts'
import { cacheSize } from './footprint-cache.ts'
import type { Gguf } from './gguf.ts'
import { type LlamaServerModel, settingsOf } from './llama-server-settings.ts'

const MiB = 1024 ** 2

const gguf = (more: Partial<Gguf> = {}, layers = 8): Gguf => ({
  ...{ architecture: 'llama', servable: true, contextLength: 8192, blockCount: layers, embeddingLength: 512, feedForwardLength: 1536 },
  ...{ vocabularySize: 32_000, headCount: Array(layers).fill(8), headCountKv: Array(layers).fill(2) },
  ...{ keyLength: 64, valueLength: 64, keyLengthSwa: 64, valueLengthSwa: 64, latentAttention: false, sharedKvLayers: 0 },
  ...{ expertCount: 0, expertUsedCount: 0, hasTokenizer: true, hasChatTemplate: false, files: ['/m.gguf'] },
  ...{ fileBytes: 220 * MiB, tensorBytes: 216 * MiB, layerBytes: Array(layers).fill(11 * MiB) },
  ...more,
})

const model = (more: Partial<LlamaServerModel> = {}): LlamaServerModel => ({
  ...{ model_path: '/m.gguf', gpu_layers: 0, context_size: 8192, threads: 4, batch_size: 2048, slots: 8, extra_args: [] },
  ...more,
})

const cache = (facts: Gguf, config: LlamaServerModel, unified = true) =>
  cacheSize(facts, settingsOf(config, unified)).layerBytes.reduce((sum, bytes) => sum + bytes, 0) / MiB

describe('the cache is as large as llama-server says it is', () => {
  // the numbers are from the logs of a llama-server with models of these shapes
  const gemma = gguf({ architecture: 'gemma3', slidingWindow: 512 }, 12)
  test.each<[string, Gguf, Partial<LlamaServerModel>, boolean, number]>([
    ['shared by all slots', gguf(), {}, true, 32],
    ['one for each slot', gguf(), { context_size: 2048 }, false, 64],
    ['as many heads as values', gguf({ headCountKv: [4, 4], keyLength: 16, valueLength: 16 }, 2), { context_size: 4096 }, true, 2],
    ['layers with a window, shared: 8 + 22.5', gemma, {}, true, 30.5],
    ['layers with a window, one for each slot: 64 + 40', gemma, {}, false, 104],
  ])('%s', (_, facts, config, unified, mebibytes) => {
    expect(cache(facts, model(config), unified)).toBe(mebibytes)
  })
})

describe('the cache', () => {
  test.each<[string, Gguf, Partial<LlamaServerModel>, number]>([
    ['in smaller numbers', gguf(), { extra_args: ['-ctk', 'q8_0', '--cache-type-v', 'q4_0'] }, (16 * 34) / 64 + (16 * 18) / 64],
    ['of a type nobody knows', gguf(), { extra_args: ['-ctk', 'x9'] }, 32],
    ['as long as the model was trained', gguf(), { extra_args: ['-c', '0'] }, 32],
    ['as long as the arguments say', gguf(), { extra_args: ['-c', '4096', '--ctx-size', '1024'] }, 4],
    ['rounded up', gguf(), { context_size: 1025 }, 5],
    [
      'with a window of the file, for one slot',
      gguf({ slidingWindow: 512, slidingWindowPattern: [true, false] }, 2),
      { slots: 1 },
      1 / 2 + 4,
    ],
    ['whose window is kept whole', gguf({ slidingWindow: 512, slidingWindowPattern: 2 }, 2), { extra_args: ['--swa-full'] }, 8],
    ['with a window that is not used', gguf({ architecture: 'phi3', slidingWindow: 512 }), {}, 32],
    [
      'with heads of another size in the window',
      gguf({ slidingWindow: 7936, slidingWindowPattern: 2, keyLengthSwa: 32 }, 2),
      { slots: 1 },
      3 + 4,
    ],
    ['with layers that share', gguf({ sharedKvLayers: 4 }), {}, 16],
    ['with layers without attention', gguf({ headCountKv: [2, 0, 2, 0, 0, 0, 0, 0] }), {}, 8],
    ['with keys and values in one', gguf({ headCountKv: Array(8).fill(1), keyLength: 576, latentAttention: true }), {}, 72],
    ['of a model that needs none', gguf({ architecture: 'nomic-bert' }), {}, 0],
  ])('%s', (_, facts, config, mebibytes) => {
    expect(cache(facts, model(config))).toBe(mebibytes)
  })

  const ssm = { convKernel: 4, innerSize: 4096, stateSize: 128, groupCount: 8 }
  const state = (3 * (4096 + 2 * 8 * 128) + 128 * 4096) * 4 * 8
  test.each<[string, Partial<Gguf>, number, number]>([
    ['in every layer, beside attention', {}, 8, 8],
    ['in the layers without attention', { headCountKv: [0, 0, 0, 2, 0, 0, 0, 2] }, 6, 2],
    ['in the layers that the file names', { recurrentLayers: [true, false, true, false, true, false, true, false] }, 4, 4],
    ['in all layers, without attention', { headCountKv: Array(8).fill(0) }, 8, 0],
  ])('with a state %s', (_, facts, states, attention) => {
    expect(cache(gguf({ ssm, ...facts }), model()) * MiB).toBe(states * state + attention * 4 * MiB)
  })
})

describe('a footprint', () => {
  test('is the sum of its parts, all of it in the machine without a GPU', () => {
    const footprint = predictFootprint(gguf(), settingsOf(model(), true))
    const { bytes, gpuBytes, weights, cache, compute, overhead } = footprint
    expect([weights, cache]).toEqual([220 * MiB, 32 * MiB])
    expect(compute).toBe(512 * ((2 * 1536 + 8 * 512 + 32_000) * 4 + 8192 * 2))
    expect(bytes).toBe(weights + cache + compute + overhead)
    expect(gpuBytes).toBe(0)
  })

  test('shares its layers with a GPU, the last ones first', () => {
    const on = (gpu_layers: number, extra_args: string[] = []) =>
      predictFootprint(gguf(), settingsOf(model({ gpu_layers, extra_args }), true)).gpuBytes
    const alone = on(1, ['-nkvo']) // nothing but the output: what is in no layer, and stays
    expect(on(3, ['-nkvo']) - alone).toBe(2 * 11 * MiB)
    expect(on(3) - alone).toBe(2 * 11 * MiB + 2 * 4 * MiB)
    expect(on(9) - alone).toBe(8 * 15 * MiB + ((216 - 88) / 2) * MiB)
    expect(on(-1)).toBe(on(9))
    expect(on(0, ['-ngl', 'all'])).toBe(on(9))
    expect(on(9, ['-ngl', '3'])).toBe(on(3))
  })

  test('grows with context, slots that do not share, experts and the micro-batch', () => {
    const bytes = (facts: Partial<Gguf>, config: Partial<LlamaServerModel>, unified = true) =>
      predictFootprint(gguf(facts), settingsOf(model(config), unified)).bytes
    expect(bytes({}, { context_size: 16_384 })).toBeGreaterThan(bytes({}, {}))
    expect(bytes({}, {}, false)).toBeGreaterThan(bytes({}, {}))
    expect(bytes({}, { slots: 16 }, false)).toBeGreaterThan(bytes({}, {}, false))
    expect(bytes({}, { slots: 16 })).toBe(bytes({}, {}))
    expect(bytes({ expertUsedCount: 8 }, {})).toBeGreaterThan(bytes({}, {}))
    expect(bytes({}, { extra_args: ['-ub', '2048'] })).toBeGreaterThan(bytes({}, {}))
    expect(bytes({}, { batch_size: 128 })).toBeLessThan(bytes({}, {}))
  })
})
