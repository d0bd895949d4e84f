import type { Config } from '../config/schema.ts'
import type { ModelSettings } from '../records/models.ts'

/** The kinds of servers that a model made through the admin API may name, with an address. */
export const placeTypes = ['ollama', 'vllm', 'llamacpp', 'openai', 'openai-compatible', 'api3'] as const

type PlaceType = (typeof placeTypes)[number]

const isPlaceType = (word: string): word is PlaceType => (placeTypes as readonly string[]).includes(word)

/** What the config would have said of such a model's server; undefined for models that name a backend of the config. */
export function backendEntry({ backend, baseUrl }: Pick<ModelSettings, 'backend' | 'baseUrl'>): Config['backends'][string] | undefined {
  if (baseUrl === null || !isPlaceType(backend)) return
  return { type: backend, base_url: baseUrl, headers: {}, timeouts: {} }
}
