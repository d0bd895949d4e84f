import type { Value } from './gguf-values.ts'

/** What a header says about a model. Of what it leaves out, nothing is made up here. */
export interface GgufFacts {
  /** `llama`, `qwen3`, `gemma3` … */
  readonly architecture: string
  /** False for what llama-server cannot serve by itself: projectors, adapters, word lists, image models. */
  readonly servable: boolean
  readonly name?: string
  /** `8B`, `8x7B` */
  readonly sizeLabel?: string
  /** llama.cpp's number for the kind of quantisation, `LLAMA_FTYPE_…`. */
  readonly fileType?: number
  readonly contextLength?: number
  readonly blockCount: number
  readonly embeddingLength: number
  readonly feedForwardLength: number
  readonly vocabularySize: number
  /** Of each layer; 0 for one without attention, or without a cache of its own. */
  readonly headCount: readonly number[]
  readonly headCountKv: readonly number[]
  readonly keyLength: number
  readonly valueLength: number
  /** Of the layers that see a window only. */
  readonly keyLengthSwa: number
  readonly valueLengthSwa: number
  /** Keys and values are stored as one (DeepSeek's MLA). */
  readonly latentAttention: boolean
  readonly slidingWindow?: number
  /** One flag per layer, or every which layer sees everything; left out where only llama.cpp knows. */
  readonly slidingWindowPattern?: number | readonly boolean[]
  /** The last layers that use the cache of others. */
  readonly sharedKvLayers: number
  readonly expertCount: number
  readonly expertUsedCount: number
  /** State-space layers; which of the layers they are, where the file says it. */
  readonly ssm?: { readonly convKernel: number; readonly innerSize: number; readonly stateSize: number; readonly groupCount: number }
  readonly recurrentLayers?: readonly boolean[]
  readonly hasTokenizer: boolean
  readonly hasChatTemplate: boolean
}

/** A model has fewer of anything than that, and products of a few of them can still be counted. */
const mostOfAnything = 2 ** 31

/** Reads what the values of a header mean. Throws a sentence, to be read behind the path, when they make no sense. */
export function factsOf(values: ReadonlyMap<string, Value>, tensorCount: number): GgufFacts {
  const architecture = textOf(values.get('general.architecture'))
  if (!architecture) throw new Error('does not say what architecture it has')
  const at = (name: string) => values.get(`${architecture}.${name}`)
  const amount = (name: string) => amountOf(at(name), name)
  const label = (name: string) => textOf(values.get(`general.${name}`)) || undefined

  const blockCount = amount('block_count') ?? 0
  if (blockCount > mostLayers) throw new Error(`claims to have ${blockCount} layers`)
  const perLayer = (name: string) => spread(at(name), blockCount, name)
  const flags = (name: string) => (isList(at(name)) ? perLayer(name)?.map(Boolean) : undefined)

  const headCount = perLayer('attention.head_count') ?? Array<number>(blockCount).fill(0)
  const mostHeads = Math.max(0, ...headCount)
  const embeddingLength = amount('embedding_length') ?? 0
  const usual = mostHeads > 0 ? Math.floor(embeddingLength / mostHeads) : 0
  const keyLength = amount('attention.key_length') ?? usual
  const valueLength = amount('attention.value_length') ?? usual
  const interval = amount('full_attention_interval')
  const recurrentLayers =
    flags('attention.recurrent_layers') ??
    (interval ? Array.from({ length: blockCount }, (_, layer) => (layer + 1) % interval !== 0) : undefined)
  const stateSize = amount('ssm.state_size')
  const type = label('type')
  const hasTokenizer = values.has('tokenizer.ggml.model')

  return {
    architecture,
    servable: (type === undefined || type === 'model') && architecture !== 'clip' && hasTokenizer && blockCount > 0 && tensorCount > 0,
    ...optional({
      name: label('name'),
      sizeLabel: label('size_label'),
      fileType: amountOf(values.get('general.file_type'), 'file_type'),
      contextLength: amount('context_length'),
      slidingWindow: amount('attention.sliding_window'),
      slidingWindowPattern: flags('attention.sliding_window_pattern') ?? amount('attention.sliding_window_pattern'),
      recurrentLayers,
      ssm: stateSize && {
        stateSize,
        convKernel: amount('ssm.conv_kernel') ?? 0,
        innerSize: amount('ssm.inner_size') ?? 0,
        groupCount: amount('ssm.group_count') ?? 0,
      },
    }),
    blockCount,
    embeddingLength,
    feedForwardLength: Math.max(0, ...(perLayer('feed_forward_length') ?? [])),
    vocabularySize: amount('vocab_size') ?? countOf(values.get('tokenizer.ggml.tokens')),
    headCount,
    headCountKv: perLayer('attention.head_count_kv') ?? headCount,
    keyLength,
    valueLength,
    keyLengthSwa: amount('attention.key_length_swa') ?? keyLength,
    valueLengthSwa: amount('attention.value_length_swa') ?? valueLength,
    latentAttention: (amount('attention.key_length_mla') ?? 0) > 0 && (amount('attention.value_length_mla') ?? 0) > 0,
    sharedKvLayers: amount('attention.shared_kv_layers') ?? 0,
    expertCount: amount('expert_count') ?? 0,
    expertUsedCount: amount('expert_used_count') ?? 0,
    hasTokenizer,
    hasChatTemplate: values.has('tokenizer.chat_template'),
  }
}

const mostLayers = 16_384

const isList = (value: Value | undefined): value is Exclude<Value, string | number | boolean> => typeof value === 'object'
const textOf = (value: Value | undefined): string => (typeof value === 'string' ? value : '')
const countOf = (value: Value | undefined): number => (isList(value) ? value.count : 0)

function amountOf(value: Value | undefined, name: string): number | undefined {
  if (value === undefined || isList(value)) return undefined
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > mostOfAnything) {
    throw new Error(`has a ${name} of ${JSON.stringify(value)}`)
  }
  return value
}

/** One number per layer, of a value that is one for all or a list. */
function spread(value: Value | undefined, layers: number, name: string): number[] | undefined {
  if (!isList(value)) {
    const same = amountOf(value, name)
    return same === undefined ? undefined : Array<number>(layers).fill(same)
  }
  const numbers = value.numbers?.slice(0, layers) ?? []
  if (numbers.length < layers) throw new Error(`has ${value.count} values of ${name} for ${layers} layers`)
  return numbers.map(number => amountOf(number, name) ?? 0)
}

/** Without the entries that are not there. */
function optional<T extends object>(entries: T): { [Name in keyof T]?: Exclude<T[Name], undefined | 0> } {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as never
}
