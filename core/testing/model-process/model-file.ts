import { type Behaviour, encodeBehaviour } from './behaviour.ts'

/** What the header of a model file says; the usual is a tiny model of llama's architecture. */
export interface ModelHeader {
  readonly name?: string
  readonly contextLength?: number
  readonly blocks?: number
  readonly embeddingLength?: number
  readonly heads?: number
}

const types = { u32: 4, text: 8 } as const

/** A GGUF file without tensors (ggml-org/ggml, docs/gguf.md, version 3), and the stand-in's behaviour behind it. */
export function modelFile(behaviour: Behaviour = {}, header: ModelHeader = {}): Buffer {
  const { name = 'stand-in', contextLength = 4096, blocks = 2, embeddingLength = 64, heads = 4 } = header
  const entries = [
    text('general.architecture', 'llama'),
    text('general.name', name),
    number('llama.context_length', contextLength),
    number('llama.block_count', blocks),
    number('llama.embedding_length', embeddingLength),
    number('llama.attention.head_count', heads),
    number('llama.attention.head_count_kv', heads),
  ]
  return Buffer.concat([Buffer.from('GGUF'), u32(3), u64(0), u64(entries.length), ...entries, encodeBehaviour(behaviour)])
}

const text = (key: string, value: string) => Buffer.concat([string(key), u32(types.text), string(value)])
const number = (key: string, value: number) => Buffer.concat([string(key), u32(types.u32), u32(value)])
const string = (value: string) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)])

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}
