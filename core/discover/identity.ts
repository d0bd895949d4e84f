import type { Config } from '../config/schema.ts'

/** What a server on this machine turned out to be. */
export interface Identity {
  /** The `type` of a backend for it. `gatehouse` is none: it is one of us, and must not be asked for its own models. */
  readonly type: 'ollama' | 'llamacpp' | 'vllm' | 'openai-compatible' | 'gatehouse'
  /** For people. */
  readonly product: 'Ollama' | 'llama-server' | 'vLLM' | 'LM Studio' | 'OpenAI-compatible server' | 'gatehouse'
  readonly version?: string
  /** The models it lists. Left out as long as it does not. */
  readonly models?: readonly string[]
  /** Why it lists none: it still loads its model, or it wants a key. */
  readonly refuses?: 'loading' | 'key'
}

export type Backends = Config['backends']

/** A port of this machine where a model server may listen. */
export interface Place {
  readonly port: number
  /** The server that usually listens there. */
  readonly product: Identity['product']
}

/** Where the usual servers listen when nobody told them otherwise. */
export const usualPlaces: readonly Place[] = [
  { port: 11_434, product: 'Ollama' },
  { port: 8080, product: 'llama-server' },
  { port: 8000, product: 'vLLM' },
  { port: 1234, product: 'LM Studio' },
]

const names: Readonly<Record<Identity['product'], string>> = {
  Ollama: 'ollama',
  'llama-server': 'llamacpp',
  vLLM: 'vllm',
  'LM Studio': 'lm-studio',
  'OpenAI-compatible server': 'local',
  gatehouse: 'gatehouse',
}

/** The name of its backend. It tells the port unless it is the usual one, so that it does not depend on who was found first. */
export const backendName = ({ product }: Identity, place: Place): string =>
  product === place.product ? names[product] : `${names[product]}-${place.port}`
