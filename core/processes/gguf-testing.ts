import { writeFileSync } from 'node:fs'

/** A value as the tests write it: whole numbers become 32 bits, bigints 64, others floats. */
export type Written = string | number | bigint | boolean | readonly string[] | readonly number[] | readonly boolean[] | Uint8Array

/** What a GGUF file is to say. */
export interface Sample {
  readonly version?: number
  readonly magic?: string
  readonly values?: Readonly<Record<string, Written>>
  /** Names, and how many bytes each has. */
  readonly tensors?: Readonly<Record<string, number>>
  /** Counts that are not true. */
  readonly valueCount?: bigint
  readonly tensorCount?: bigint
  /** So much of the file is not there. */
  readonly cut?: number
}

const alignment = 32

/** Writes a GGUF file for tests. */
export function writeGguf(path: string, sample: Sample = {}): void {
  const bytes = ggufBytes(sample)
  writeFileSync(path, bytes.subarray(0, bytes.length - (sample.cut ?? 0)))
}

/** A model that llama.cpp's own names would let serve, of two layers. */
export const smallModel = (more: Readonly<Record<string, Written>> = {}): Sample => ({
  values: {
    ...{ 'general.architecture': 'llama', 'general.name': 'small', 'general.file_type': 15, 'general.size_label': '8B' },
    ...{ 'llama.context_length': 8192, 'llama.block_count': 2, 'llama.embedding_length': 64, 'llama.feed_forward_length': 128 },
    ...{ 'llama.attention.head_count': 4, 'llama.attention.head_count_kv': 2 },
    ...{ 'tokenizer.ggml.model': 'gpt2', 'tokenizer.ggml.tokens': ['a', 'b', 'c'], 'tokenizer.ggml.scores': [0.5, 1.5, 2.5] },
    ...more,
  },
  tensors: { 'token_embd.weight': 96, 'blk.0.attn_q.weight': 64, 'blk.1.attn_q.weight': 128, 'output.weight': 40 },
})

function ggufBytes({ version = 3, magic = 'GGUF', values = {}, tensors = {}, valueCount, tensorCount }: Sample): Buffer {
  let offset = 0n
  const infos = Object.entries(tensors).map(([name, size]) => {
    const info = [text(name), u32(2), u64(BigInt(size)), u64(1n), u32(24), u64(offset)]
    offset += BigInt(Math.ceil(size / alignment) * alignment)
    return Buffer.concat(info)
  })
  const head = Buffer.concat([
    Buffer.from(magic),
    u32(version),
    u64(tensorCount ?? BigInt(infos.length)),
    u64(valueCount ?? BigInt(Object.keys(values).length)),
    ...Object.entries(values).flatMap(([key, value]) => [text(key), valueBytes(value)]),
    ...infos,
  ])
  const padded = Buffer.alloc(infos.length === 0 ? head.length : Math.ceil(head.length / alignment) * alignment)
  head.copy(padded)
  return Buffer.concat([padded, Buffer.alloc(Number(offset))])
}

function valueBytes(value: Written): Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value)
  if (typeof value !== 'object') return Buffer.concat([u32(typeOf(value)), bare(value)])
  const [first = 0] = value
  return Buffer.concat([u32(9), u32(typeOf(first)), u64(BigInt(value.length)), ...value.map(bare)])
}

const typeOf = (value: string | number | bigint | boolean) =>
  typeof value === 'string' ? 8 : typeof value === 'boolean' ? 7 : typeof value === 'bigint' ? 10 : Number.isInteger(value) ? 4 : 6

function bare(value: string | number | bigint | boolean): Buffer {
  if (typeof value === 'string') return text(value)
  if (typeof value === 'boolean') return Buffer.from([value ? 1 : 0])
  if (typeof value === 'bigint') return u64(value)
  if (Number.isInteger(value)) return u32(value)
  const bytes = Buffer.alloc(4)
  bytes.writeFloatLE(value)
  return bytes
}

/** A text as GGUF has it: its length, and its bytes. */
export const text = (value: string): Buffer => Buffer.concat([u64(BigInt(Buffer.byteLength(value))), Buffer.from(value)])

/** A whole number of 32 bits. */
export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** A whole number of 64 bits. */
export function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return bytes
}
