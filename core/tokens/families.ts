import type { Encoding } from '../../workers/ranks.ts'
import type { ImageRule } from './images.ts'

/** What is known of the models that share a tokenizer and a way of framing chats. */
export interface Family {
  /** The tokenizer to count with: its own, or the nearest there is. */
  readonly encoding: Encoding
  /** What a count by `encoding` is multiplied with; 1 when it is the family's own. */
  readonly factor: number
  /** A chat template whose cost OpenAI has published; other templates cost about the same. */
  readonly framing: 'published' | 'similar'
  /** Tokens that announce a tool (OpenAI's cookbook, see tools.ts); undefined where tools stand in the prompt as JSON. */
  readonly toolStart?: 7 | 10
  readonly image: ImageRule
}

/** The family of a model by its name; a name nobody knows gets the average one. */
export function familyOf(model: string): Family {
  const name = model.toLowerCase().replace(/^(ft:)?(.*\/)?/, '')
  return families.find(([pattern]) => pattern.test(name))?.[1] ?? unknownFamily
}

/** True when OpenAI makes the model, and its tokenizer is the one we count with. */
export const isOpenaiOwn = ({ toolStart }: Family): boolean => toolStart !== undefined

// https://platform.openai.com/docs/guides/images-vision#calculating-costs
const tiles = (base: number, perTile: number): ImageRule => ({ kind: 'tiles', base, perTile })
const patches = (factor: number): ImageRule => ({ kind: 'patches', side: 32, most: 1536, factor })
// Qwen2-VL's and Qwen2.5-VL's `smart_resize`: patches of 28 pixels, at most 12,845,056 pixels
const qwenPatches: ImageRule = { kind: 'patches', side: 28, most: 16_384, factor: 1 }
const flat = (usual: number, most = usual): ImageRule => ({ kind: 'flat', usual, most })

/** LLaVA costs 576, LLaVA 1.6 up to 2880, Llama 3.2 Vision up to 6404, Qwen2.5-VL up to 16,384. */
const anyLocalImage = flat(1024, 16_384)

const o200k = (image: ImageRule, framing: Family['framing'] = 'similar'): Family => ({
  encoding: 'o200k_base',
  factor: 1,
  framing,
  toolStart: 7,
  image,
})
const cl100k: Family = { encoding: 'cl100k_base', factor: 1, framing: 'published', toolStart: 10, image: tiles(85, 170) }
const local = (factor: number, image = anyLocalImage): Family => ({ encoding: 'o200k_base', factor, framing: 'similar', image })

/**
 * Which encoding OpenAI's models have: tiktoken/model.py; which framing is published: the cookbook's "How to count tokens
 * with tiktoken". Factors of the others were measured with their tokenizers on English, source code, JSON and eight other
 * languages; in brackets the middle of English and code, and the highest of the European languages.
 */
const families: readonly (readonly [RegExp, Family])[] = [
  [/^gpt-4o-mini/, o200k(tiles(2833, 5667), 'published')],
  [/^(chatgpt|gpt)-4o/, o200k(tiles(85, 170), 'published')],
  [/^gpt-4\.1-mini/, o200k(patches(1.62))],
  [/^gpt-4\.1-nano/, o200k(patches(2.46))],
  [/^gpt-4\.[15]/, o200k(tiles(85, 170))],
  [/^gpt-5[^/]*-mini/, o200k(patches(1.62))],
  [/^gpt-5[^/]*-nano/, o200k(patches(2.46))],
  [/^gpt-5/, o200k(tiles(70, 140))],
  [/^o4-mini/, o200k(patches(1.72))],
  [/^o[134]\b/, o200k(tiles(75, 150))],
  [/^(gpt-4|gpt-3\.?5|text-embedding-(3|ada-002)|(davinci|babbage)-002)/, cl100k],
  [/^gpt-oss/, local(1)],
  [/llama-?4/, local(1)], // 1.00, 0.99
  [/llama-?3|distill-llama|hermes-3/, local(1.05)], // 1.00, 1.15
  [/pixtral|nemo\b|ministral|magistral|devstral|(mistral|codestral)-(small|medium|large)/, local(1.05)], // Tekken; not measured
  [/llama|vicuna|mistral|mixtral|codestral|zephyr|phi-?3|yi-/, local(1.25)], // 1.20, 1.39: SentencePiece with 32,000 tokens
  [/qwen.*vl/, local(1.05, qwenPatches)],
  [/qwen|qwq|qvq/, local(1.05)], // 1.01, 1.15
  [/deepseek-(coder|llm|v2)/, local(1.2)], // 1.17, 1.45
  [/gemma-?3|gemma-?4/, local(1.05, flat(256, 1280))], // 256 per image or crop; factor not measured
  [/llava|bakllava|moondream/, local(1.25, flat(576, 2880))],
]

/** Most tokenizers of the last years lie between 1 and 1.2. */
const unknownFamily = local(1.1)

/** Whatever a model may be: no other family charges more for a picture than one of these. */
export const dearestFamilies: readonly Family[] = [o200k(tiles(2833, 5667)), o200k(patches(2.46)), unknownFamily]
