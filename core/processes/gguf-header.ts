import { open, stat } from 'node:fs/promises'
import { type Cursor, openCursor } from './gguf-cursor.ts'
import { readTensors, type Tensors } from './gguf-tensors.ts'
import { readText, readValue, type Value } from './gguf-values.ts'

/** What stands at the beginning of one GGUF file. */
export interface GgufHeader {
  readonly fileBytes: number
  /** The values that say what kind of model it is and how much memory it needs. */
  readonly values: ReadonlyMap<string, Value>
  readonly tensors: Tensors
}

/** The tables of both grow with them, and no model comes near. */
const mostValues = 65_536
const mostTensors = 262_144
const longestKey = 65_535

const wanted = new RegExp(
  `^(?:${[
    'general\\.(?:architecture|type|name|file_type|size_label|alignment)',
    'split\\.(?:no|count)',
    'tokenizer\\.(?:ggml\\.(?:model|tokens)|chat_template)',
    '[\\w-]+\\.(?:context_length|embedding_length|block_count|feed_forward_length|vocab_size|pooling_type)',
    '[\\w-]+\\.(?:expert_count|expert_used_count|full_attention_interval)',
    '[\\w-]+\\.attention\\.(?:head_count(?:_kv)?|(?:key|value)_length(?:_swa|_mla)?)',
    '[\\w-]+\\.attention\\.(?:sliding_window(?:_pattern)?|shared_kv_layers|recurrent_layers)',
    '[\\w-]+\\.ssm\\.(?:conv_kernel|inner_size|state_size|group_count)',
  ].join('|')})$`,
)

/**
 * Reads the header of a GGUF file, versions 2 and 3, and nothing behind it. The file may be anything: what is read and
 * kept of it is bounded. Throws a sentence that begins with its path.
 */
export async function readGgufHeader(path: string): Promise<GgufHeader> {
  try {
    const { size } = await regular(path)
    const file = await open(path)
    try {
      return await readHeader(openCursor(file, size), size)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw new Error(`${path}: ${words(error)}`, { cause: error })
  }
}

async function readHeader(cursor: Cursor, fileBytes: number): Promise<GgufHeader> {
  if (fileBytes < 24) throw new Error('is not a GGUF file')
  await cursor.fill(24)
  if (cursor.u32() !== magic) throw new Error('is not a GGUF file')
  const version = cursor.u32()
  if (version > 0xffff) throw new Error('is a GGUF file for big-endian machines')
  if (version !== 2 && version !== 3) throw new Error(`is a GGUF file of version ${version}; versions 2 and 3 can be read`)
  const tensorCount = bounded(cursor.u64(), mostTensors, 'tensors')
  const valueCount = bounded(cursor.u64(), mostValues, 'values')
  const values = new Map<string, Value>()
  for (let left = valueCount; left > 0; left--) {
    const key = await readText(cursor, longestKey)
    if (key === undefined) throw new Error('has a name in its header that is too long')
    const value = await readValue(cursor, wanted.test(key))
    if (wanted.test(key)) values.set(key, value)
  }
  const alignment = values.get('general.alignment')
  const tensors = await readTensors(cursor, { count: tensorCount, fileBytes, alignment: typeof alignment === 'number' ? alignment : 32 })
  return { fileBytes, values, tensors }
}

/** `GGUF` */
const magic = 0x46554747

function bounded(count: number, most: number, what: string): number {
  if (count > most) throw new Error(`claims to have ${count} ${what}`)
  return count
}

async function regular(path: string) {
  const found = await stat(path)
  // a pipe would be waited for
  if (!found.isFile()) throw new Error('must be a regular file')
  return found
}

function words(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file'
  return code === 'EACCES' || code === 'EPERM' ? 'may not be read' : message
}
