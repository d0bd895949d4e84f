import type { GgufFacts } from './gguf.ts'
import type { LlamaServerSettings } from './llama-server-settings.ts'

/** How large the cache of a model is, as llama.cpp lays it out. */
export interface CacheSize {
  /** The bytes of each layer. */
  readonly layerBytes: readonly number[]
  /** The tokens that fit, in layers that see everything and, if there are others, in those. */
  readonly cells: readonly number[]
}

/**
 * Keys and values of every layer (`llama_kv_cache`): kv heads × (key length + value length) × cells × bytes. Cells are
 * those of one request, times the slots unless they share them (`llama_context`: both rounded up to 256). A layer with a
 * window (`llama_kv_cache_iswa`) has min(cells, window × slots that share + micro-batch). State-space layers
 * (`llama_memory_recurrent`) have a state of fixed size for each slot instead.
 */
export function cacheSize(model: GgufFacts, settings: LlamaServerSettings): CacheSize {
  const none = { layerBytes: model.headCount.map(() => 0), cells: [] }
  if (withoutCache.has(model.architecture)) return none
  const context = settings.contextSize || model.contextLength || 0
  const cells = roundUp(context)
  const streams = settings.unified ? 1 : settings.slots
  const sharing = settings.unified ? settings.slots : 1
  const window = windowOf(model)
  const microBatch = Math.min(settings.microBatchSize, settings.batchSize)
  const windowCells = settings.wholeWindow ? cells : roundUp(Math.min(cells, (window?.tokens ?? 0) * sharing + microBatch))
  const keyBytes = bytesOf(settings.keyType)
  const valueBytes = model.latentAttention ? 0 : bytesOf(settings.valueType)
  const withCache = model.blockCount - model.sharedKvLayers
  const layerBytes = model.headCountKv.map((heads, layer) => {
    const state = hasState(model, layer) ? stateBytes(model) * settings.slots : 0
    if (layer >= withCache || heads === 0 || model.recurrentLayers?.[layer]) return state
    const narrow = window?.layers(layer) ?? false
    const key = narrow ? model.keyLengthSwa : model.keyLength
    const value = narrow ? model.valueLengthSwa : model.valueLength
    return state + heads * (key * keyBytes + value * valueBytes) * (narrow ? windowCells : cells) * streams
  })
  return { layerBytes, cells: window ? [cells, windowCells] : [cells] }
}

const roundUp = (tokens: number) => Math.ceil(tokens / 256) * 256

/** Models that read a text as a whole. */
const withoutCache: ReadonlySet<string> = new Set([
  ...['bert', 'nomic-bert', 'nomic-bert-moe', 'neo-bert', 'modern-bert', 'eurobert', 'jina-bert-v2', 'jina-bert-v3'],
  ...['gemma-embedding', 'wavtokenizer-dec', 'dream', 'llada', 'llada-moe', 'rnd1'],
])

/** Bytes of one value, from the blocks of ggml-common.h. */
const typeBytes: Readonly<Record<string, number>> = {
  ...{ f32: 4, f16: 2, bf16: 2, q8_0: 34 / 32, q5_1: 24 / 32, q5_0: 22 / 32, q4_1: 20 / 32, q4_0: 18 / 32, iq4_nl: 18 / 32 },
}

const bytesOf = (type: string) => typeBytes[type] ?? 2

/**
 * Every which layer sees everything, where the file does not say it: llama.cpp's `load_swa_pattern`. A window of any
 * other architecture is not used (`phi3`), so that its cache is not smaller for it.
 */
const patterns: Readonly<Record<string, { readonly every: number; readonly tokens?: number; readonly first?: boolean }>> = {
  gemma2: { every: 2, tokens: 4096 },
  gemma3: { every: 6 },
  gemma3n: { every: 5 },
  'gpt-oss': { every: 2 },
  llama4: { every: 4, tokens: 8192 },
  cohere2: { every: 4 },
  cohere2moe: { every: 4, first: true },
  exaone4: { every: 4 },
  'exaone-moe': { every: 4, tokens: 128 },
  olmo2: { every: 4 },
  plamo3: { every: 8 },
  afmoe: { every: 4 },
  smallthinker: { every: 4, first: true },
}

function windowOf({ architecture, slidingWindow, slidingWindowPattern: pattern }: GgufFacts) {
  const known = patterns[architecture]
  const tokens = slidingWindow ?? known?.tokens ?? 0
  if (tokens === 0) return undefined
  if (typeof pattern === 'object') return { tokens, layers: (layer: number) => pattern[layer] ?? false }
  const every = pattern ?? known?.every ?? 0
  if (every === 0) return undefined
  return { tokens, layers: (layer: number) => (known?.first ? layer % every !== 0 : layer % every < every - 1) }
}

/** Where nothing says which layers have a state: those without attention; or all, when all have attention too (Falcon-H1). */
function hasState({ ssm, recurrentLayers, headCountKv }: GgufFacts, layer: number): boolean {
  if (!ssm) return false
  return recurrentLayers?.[layer] ?? (headCountKv[layer] === 0 || !headCountKv.includes(0))
}

/** `n_embd_r + n_embd_s` of llama-hparams.cpp, as 32-bit numbers. */
function stateBytes({ ssm }: GgufFacts): number {
  if (!ssm) return 0
  const { convKernel, innerSize, stateSize, groupCount } = ssm
  return (Math.max(0, convKernel - 1) * (innerSize + 2 * groupCount * stateSize) + stateSize * innerSize) * 4
}
