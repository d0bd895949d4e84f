import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seededRandom } from '../testing/random.ts'
import { readGguf } from './gguf.ts'
import { type Sample, smallModel, text, u32, u64, type Written, writeGguf } from './gguf-testing.ts'

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-gguf-'))
afterAll(() => rmSync(folder, { recursive: true }))

let count = 0
async function read(sample: Sample) {
  const path = join(folder, `${++count}.gguf`)
  writeGguf(path, sample)
  return readGguf(path)
}

/** The complaint, without the path it begins with. */
async function complaint(path: string): Promise<string> {
  const { message } = await readGguf(path).then(
    () => new Error('fine'),
    (error: Error) => error,
  )
  expect(message).toStartWith(folder)
  return message.replace(/^\S+?: /, '')
}

const refused = (sample: Sample) => {
  const path = join(folder, `${++count}.gguf`)
  writeGguf(path, sample)
  return complaint(path)
}

describe('a model', () => {
  test.each([2, 3])('of version %p', async version => {
    const { files, ...gguf } = await read({ ...smallModel({ 'tokenizer.chat_template': 'x'.repeat(5000) }), version })
    expect(files).toEqual([join(folder, `${count}.gguf`)])
    expect(gguf).toEqual({
      ...{ architecture: 'llama', servable: true, name: 'small', sizeLabel: '8B', fileType: 15, contextLength: 8192 },
      ...{ blockCount: 2, embeddingLength: 64, feedForwardLength: 128, vocabularySize: 3 },
      ...{ headCount: [4, 4], headCountKv: [2, 2], keyLength: 16, valueLength: 16, keyLengthSwa: 16, valueLengthSwa: 16 },
      ...{ latentAttention: false, sharedKvLayers: 0, expertCount: 0, expertUsedCount: 0, hasTokenizer: true, hasChatTemplate: true },
      ...{ fileBytes: gguf.fileBytes, layerBytes: [64, 128], tensorBytes: 96 + 64 + 128 + 64 },
    })
  })

  test('says how its layers differ', async () => {
    const values = {
      'general.architecture': 'mixed',
      'mixed.block_count': 3,
      'mixed.embedding_length': 32,
      'mixed.attention.head_count': [4, 0, 4],
      'mixed.attention.head_count_kv': [2, 0, 1],
      'mixed.attention.key_length': 128,
      'mixed.attention.value_length': 64,
      'mixed.attention.key_length_swa': 32,
      'mixed.attention.value_length_swa': 16,
      'mixed.attention.sliding_window': 512,
      'mixed.attention.sliding_window_pattern': [true, false, true],
      'mixed.attention.shared_kv_layers': 1,
      'mixed.feed_forward_length': [10, 30, 20],
      'mixed.expert_count': 8,
      'mixed.expert_used_count': 2,
      'mixed.ssm.state_size': 16,
      'mixed.ssm.conv_kernel': 4,
      'mixed.ssm.inner_size': 64,
      'mixed.ssm.group_count': 1,
    }
    expect(await read({ values })).toMatchObject({
      ...{
        servable: false,
        headCount: [4, 0, 4],
        headCountKv: [2, 0, 1],
        keyLength: 128,
        valueLength: 64,
        keyLengthSwa: 32,
        valueLengthSwa: 16,
      },
      ...{ slidingWindow: 512, slidingWindowPattern: [true, false, true], sharedKvLayers: 1, feedForwardLength: 30 },
      ...{ expertCount: 8, expertUsedCount: 2, ssm: { stateSize: 16, convKernel: 4, innerSize: 64, groupCount: 1 } },
    })
  })

  test.each<[string, Record<string, Written>, object]>([
    [
      'a period of windows',
      { 'llama.attention.sliding_window': 1024, 'llama.attention.sliding_window_pattern': 6 },
      { slidingWindowPattern: 6 },
    ],
    ['every which layer sees all', { 'llama.full_attention_interval': 2 }, { recurrentLayers: [true, false] }],
    ['latent attention', { 'llama.attention.key_length_mla': 192, 'llama.attention.value_length_mla': 128 }, { latentAttention: true }],
    ['numbers of 64 bits', { 'llama.context_length': 1_000_000n }, { contextLength: 1_000_000 }],
    ['a projector', { 'general.architecture': 'clip' }, { servable: false }],
    ['an adapter', { 'general.type': 'adapter' }, { servable: false }],
    ['a model, as it says', { 'general.type': 'model' }, { servable: true }],
  ])('%s', async (_, more, facts) => {
    const values = { ...smallModel(more).values }
    if (more['general.architecture']) values['clip.block_count'] = 2
    expect(await read({ ...smallModel(), values })).toMatchObject(facts)
  })

  test('a list of words without weights is none that can be served', async () => {
    expect(await read({ values: smallModel().values ?? {} })).toMatchObject({ servable: false, tensorBytes: 0, layerBytes: [] })
  })
})

describe('a model in parts', () => {
  const part = (name: string, number: number, of: number) => join(folder, `${name}-0000${number}-of-0000${of}.gguf`)

  test('is one', async () => {
    writeGguf(part('big', 1, 3), smallModel({ 'split.no': 0, 'split.count': 3 }))
    writeGguf(part('big', 2, 3), { values: { 'split.no': 1 }, tensors: { 'blk.1.ffn_up.weight': 320, 'blk.2.ffn_up.weight': 32 } })
    writeGguf(part('big', 3, 3), { values: { 'split.no': 2 }, tensors: { 'blk.2.ffn_down.weight': 64 } })
    const gguf = await readGguf(part('big', 1, 3))
    expect(gguf.files).toHaveLength(3)
    expect(gguf.layerBytes).toEqual([64, 128 + 320, 32 + 64])
    expect(gguf.tensorBytes).toBe(96 + 64 + 128 + 64 + 320 + 32 + 64)
    expect(gguf.fileBytes).toBe(gguf.files.reduce((bytes, file) => bytes + Bun.file(file).size, 0))
  })

  test('must be whole, and is named by its first part', async () => {
    writeGguf(part('torn', 1, 3), smallModel())
    writeGguf(part('torn', 3, 3), { tensors: { 'blk.2.a': 1 } })
    expect(await complaint(part('torn', 1, 3))).toBe('part 2 of 3 is missing')
    expect(await complaint(part('torn', 3, 3))).toBe('is part 3 of a model; name the first one')
    writeGguf(join(folder, 'vast-00001-of-99999.gguf'), smallModel())
    expect(await complaint(join(folder, 'vast-00001-of-99999.gguf'))).toBe('is part 1 of 99999, which cannot be')
  })
})

describe('what is refused', () => {
  test.each<[string, Sample, string]>([
    ['another file', { magic: 'ZIP!' }, 'is not a GGUF file'],
    ['version 1', { version: 1 }, 'is a GGUF file of version 1; versions 2 and 3 can be read'],
    ['a later version', { version: 4 }, 'is a GGUF file of version 4; versions 2 and 3 can be read'],
    ['the other end first', { version: 0x03000000 }, 'is a GGUF file for big-endian machines'],
    ['countless values', { valueCount: 2n ** 60n }, 'has a number in its header that is beyond all measure'],
    ['many values', { valueCount: 1_000_000_000n }, 'claims to have 1000000000 values'],
    ['many tensors', { tensorCount: 1_000_000_000n }, 'claims to have 1000000000 tensors'],
    ['more values than there are', { ...smallModel(), tensors: {}, valueCount: 5000n }, 'ends in the middle of its header'],
    ['no architecture', { values: { 'general.name': 'x' } }, 'does not say what architecture it has'],
    ['a type that there is not', { values: { a: u32(99) } }, 'has a value in its header of a type that there is not: 99'],
    [
      'a list of lists',
      { values: { a: Buffer.concat([u32(9), u32(9), u64(1n)]) } },
      'has a value in its header of a type that there is not: 9',
    ],
    ['a long list', { values: { a: Buffer.concat([u32(9), u32(4), u64(2n ** 50n)]) } }, 'ends in the middle of its header'],
    ['a long list of words', { values: { a: Buffer.concat([u32(9), u32(8), u64(2n ** 50n)]) } }, 'ends in the middle of its header'],
    ['a long word', { values: { a: Buffer.concat([u32(8), u64(2n ** 50n)]) } }, 'ends in the middle of its header'],
    ['many layers', smallModel({ 'llama.block_count': 4_000_000_000 }), 'has a block_count of 4000000000'],
    ['too many layers', smallModel({ 'llama.block_count': 100_000 }), 'claims to have 100000 layers'],
    ['half a head', smallModel({ 'llama.attention.head_count': 1.5 }), 'has a attention.head_count of 1.5'],
    ['too few heads', smallModel({ 'llama.attention.head_count_kv': [1] }), 'has 1 values of attention.head_count_kv for 2 layers'],
    ['a copy that is not finished', { ...smallModel(), cut: 64 }, 'ends before its last tensor; is it still being copied?'],
    ['a copy that has just begun', { ...smallModel(), cut: 400 }, 'ends in the middle of its header'],
  ])('%s', async (_, sample, problem) => {
    expect(await refused(sample)).toBe(problem)
  })

  test('no file, a folder, an empty file', async () => {
    expect(await complaint(join(folder, 'none.gguf'))).toBe('there is no such file')
    expect(await complaint(folder)).toBe('must be a regular file')
    writeFileSync(join(folder, 'empty.gguf'), '')
    expect(await complaint(join(folder, 'empty.gguf'))).toBe('is not a GGUF file')
  })

  test('a name without end, a tensor with too long a name or too many sides', async () => {
    const path = join(folder, 'odd.gguf')
    const head = (tensors: bigint, values: bigint) => Buffer.concat([Buffer.from('GGUF'), u32(3), u64(tensors), u64(values)])
    writeFileSync(path, Buffer.concat([head(0n, 1n), u64(100_000n), Buffer.alloc(200_000)]))
    expect(await complaint(path)).toBe('has a name in its header that is too long')
    writeFileSync(path, Buffer.concat([head(1n, 0n), u64(2000n), Buffer.alloc(9000)]))
    expect(await complaint(path)).toBe('has a tensor with a name that is too long')
    writeFileSync(path, Buffer.concat([head(1n, 0n), text('a'), u32(1_000_000), Buffer.alloc(9000)]))
    expect(await complaint(path)).toBe('has a tensor of 1000000 dimensions')
  })

  test('a huge empty file that claims to be one long list is given up soon', async () => {
    const path = join(folder, 'sparse.gguf')
    const list = Buffer.concat([u32(9), u32(8), u64(2n ** 40n)])
    writeFileSync(path, Buffer.concat([Buffer.from('GGUF'), u32(3), u64(0n), u64(1n), text('a'), list]))
    truncateSync(path, 2 ** 43)
    expect(await complaint(path)).toBe('has a header of more than 256 MiB')
  })
})

test('whatever is broken in a file, it is read or refused in one sentence', async () => {
  const path = join(folder, 'whole.gguf')
  writeGguf(path, smallModel({ 'llama.attention.sliding_window_pattern': [true, false], 'tokenizer.chat_template': 'y'.repeat(300) }))
  const whole = new Uint8Array(await Bun.file(path).arrayBuffer())
  const random = seededRandom(7)
  const broken = join(folder, 'broken.gguf')
  let refusals = 0
  for (let round = 0; round < 1500; round++) {
    const bytes = whole.slice(0, round % 3 === 0 ? Math.floor(random() * whole.length) : whole.length)
    for (let change = 0; change < 1 + (round % 4) && bytes.length > 0; change++) {
      bytes[Math.floor(random() * bytes.length)] = random() < 0.3 ? 255 : Math.floor(random() * 256)
    }
    writeFileSync(broken, bytes)
    const { message } = await readGguf(broken).then(
      () => ({ message: '' }),
      (error: Error) => error,
    )
    if (message === '') continue
    refusals++
    expect(message).toStartWith(`${broken}: `)
    expect(message).not.toContain('\n')
    expect(message).not.toMatch(/undefined|NaN|Out of bounds|RangeError/)
  }
  expect(refusals).toBeGreaterThan(400)
  expect(refusals).toBeLessThan(1500)
})
