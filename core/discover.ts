import { createBackend } from './backends/create.ts'
import type { Config } from './config/schema.ts'

type Backends = Config['backends']

/** Where the usual servers listen when nobody told them otherwise. */
const usualPlaces = {
  ollama: { type: 'ollama', base_url: 'http://127.0.0.1:11434' },
  llamacpp: { type: 'llamacpp', base_url: 'http://127.0.0.1:8080' },
  vllm: { type: 'vllm', base_url: 'http://127.0.0.1:8000' },
  'lm-studio': { type: 'openai-compatible', base_url: 'http://127.0.0.1:1234' },
} as const

/** A server on this machine answers well within this, or is not there. */
const patienceMs = 750

/** Looks for model servers on this machine. One counts when it lists its models: other programs use these ports too. */
export async function discoverBackends(places: Readonly<Record<string, Backends[string]>> = usual()): Promise<Backends> {
  const found = await Promise.all(
    Object.entries(places).map(async ([name, entry]) => {
      const answers = await createBackend(name, entry)
        .models(AbortSignal.timeout(patienceMs))
        .then(
          () => true,
          () => false,
        )
      return answers ? [[name, entry] as const] : []
    }),
  )
  return Object.fromEntries(found.flat())
}

const usual = (): Backends =>
  Object.fromEntries(Object.entries(usualPlaces).map(([name, entry]) => [name, { ...entry, headers: {}, timeouts: {} }]))

/** What an unconfigured gatehouse waits for when nothing answers: an Ollama that is started later. */
export const expectedOllama = (): Backends => ({ ollama: usual().ollama as Backends[string] })

/** The built-in echo model, for a first request with nothing else installed. */
export const echoOnly = (delayMs: number): Backends => ({ demo: { type: 'echo', delay: delayMs } })
