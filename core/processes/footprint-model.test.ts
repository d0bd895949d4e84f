import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expectedFootprints } from './footprint-expected.ts'
import { learnedFootprints } from './footprint-learned.ts'
import { footprintPrint, predictModel } from './footprint-model.ts'
import { readGguf } from './gguf.ts'
import { smallModel, writeGguf } from './gguf-testing.ts'
import type { LlamaServerModel } from './llama-server-settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-footprint-'))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)
beforeAll(() => {
  writeGguf(at('m.gguf'), smallModel())
  writeGguf(at('draft.gguf'), smallModel({ 'llama.block_count': 1 }))
  writeFileSync(at('eyes.gguf'), Buffer.alloc(1_000_000))
})

const model = (more: Partial<LlamaServerModel> = {}): LlamaServerModel => ({
  ...{ model_path: at('m.gguf'), gpu_layers: 0, context_size: 1024, threads: 4, batch_size: 512, slots: 4, extra_args: [] },
  ...more,
})

describe('the memory of a model', () => {
  const bytes = async (extra_args: string[], unified = true) => (await predictModel(model({ extra_args }), readGguf, unified)).bytes

  test('has the cache of its layers', async () => {
    const { cache, weights, bytes } = await predictModel(model(), readGguf, true)
    expect(cache).toBe(2 * 2 * (16 + 16) * 1024 * 2)
    expect(weights).toBe(Bun.file(at('m.gguf')).size)
    expect(bytes).toBeGreaterThan(cache + weights)
    expect((await predictModel(model(), readGguf, false)).cache).toBe(4 * cache)
  })

  test('has what is loaded beside it', async () => {
    const alone = await bytes([])
    expect((await bytes(['--mmproj', at('eyes.gguf')])) - alone).toBe(1_000_000)
    expect((await bytes(['--lora', `${at('eyes.gguf')},${at('eyes.gguf')}`])) - alone).toBe(2_000_000)
    expect((await bytes(['--mmproj', at('none.gguf')])) - alone).toBe(0)
    const draft = (await bytes(['-md', at('draft.gguf')])) - alone
    expect(draft).toBeGreaterThan(Bun.file(at('draft.gguf')).size + 2 * (16 + 16) * 1024 * 2)
  })

  test('cannot be told without its file', async () => {
    await expect(predictModel(model({ model_path: at('none.gguf') }), readGguf, true)).rejects.toThrow(
      `${at('none.gguf')}: there is no such file`,
    )
  })
})

describe('the print of a config', () => {
  test('is the same as long as what decides the memory is', async () => {
    const before = await footprintPrint(model())
    expect(before).toMatch(/^[0-9a-f]{16}$/)
    expect(await footprintPrint({ ...model(), threads: 9, ...{ name: 'x', env: { A: 'b' }, ttl: 5 } })).toBe(before)
  })
  test.each<[string, Partial<LlamaServerModel>]>([
    ['the context', { context_size: 2048 }],
    ['the layers on the GPU', { gpu_layers: 1 }],
    ['the slots', { slots: 5 }],
    ['the arguments', { extra_args: ['-fa', 'on'] }],
    ['the file', { model_path: at('draft.gguf') }],
  ])('is another when %s changes', async (_, more) => {
    expect(await footprintPrint(model(more))).not.toBe(await footprintPrint(model()))
  })
  test('is another when the file is another, and for each command', async () => {
    const before = await footprintPrint(model())
    utimesSync(at('m.gguf'), 1, 1)
    expect(await footprintPrint(model())).not.toBe(before)
    expect(await footprintPrint({ command: 'a' })).not.toBe(await footprintPrint({ command: 'b' }))
  })
})

describe('what is expected of a model', () => {
  const expected = (unified = true) =>
    expectedFootprints({
      learned: learnedFootprints(at('learned.json'), () => undefined),
      read: readGguf,
      knowsUnified: async () => unified,
    })
  const named = { name: 'm', ...model() }

  test('is nothing, then what its files say, then what it had, until its config changes', async () => {
    const footprints = expected()
    footprints.learn('m', 5)
    expect(footprints.of('m')).toBe(0)
    expect(await footprints.look([named, { name: 'other', command: 'serve' }])).toEqual([])
    const predicted = (await predictModel(model(), readGguf, true)).bytes
    expect([footprints.of('m'), footprints.of('other'), footprints.of('nobody')]).toEqual([predicted, 0, 0])
    footprints.learn('m', 123_456)
    footprints.learn('other', 7000)
    footprints.learn('nobody', 9000)
    expect([footprints.of('m'), footprints.of('other'), footprints.of('nobody')]).toEqual([123_456, 7000, 0])

    const next = expected()
    await next.look([named])
    expect([next.of('m'), next.of('other')]).toEqual([123_456, 0])
    await next.look([{ ...named, context_size: 512 }])
    expect(next.of('m')).toBeLessThan(predicted)
  })

  test('is more when slots do not share', async () => {
    const [shared, apart] = [expected(), expected(false)]
    for (const each of [shared, apart]) await each.look([{ ...named, name: 'n' }])
    expect(apart.of('n')).toBeGreaterThan(shared.of('n'))
  })

  test('is nothing when its file cannot be read, and a line says so', async () => {
    const footprints = expected()
    const line = `x: ${at('none.gguf')}: there is no such file`
    expect(await footprints.look([{ ...named, name: 'x', model_path: at('none.gguf') }])).toEqual([line])
    expect(footprints.of('x')).toBe(0)
  })
})
