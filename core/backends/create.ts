import type { Config } from '../config/schema.ts'
import { upstream } from '../http/upstream.ts'
import type { Backend, BackendTimeouts } from './backend.ts'
import { echoBackend } from './echo.ts'
import { llamacppBackend } from './llamacpp.ts'
import { ollamaBackend } from './ollama.ts'
import { compatibleBackend, openaiBackend } from './openai.ts'
import { vllmBackend } from './vllm.ts'

/** Makes the adapter a `backends` entry asks for. The one place that knows them all. */
export function createBackend(name: string, entry: Config['backends'][string]): Backend {
  const backend = adapterOf(name, entry)
  const { slots } = entry
  return slots === undefined ? backend : Object.assign(backend, { slotsOf: () => ({ slots }) })
}

function adapterOf(name: string, entry: Config['backends'][string]): Backend {
  if (entry.type === 'echo') return echoBackend({ name, delayMs: entry.delay })
  const options = {
    name,
    type: entry.type === 'api3' ? 'openai-compatible' : entry.type,
    baseUrl: entry.base_url,
    apiKey: entry.api_key,
    headers: entry.headers,
    timeouts: limits(entry.timeouts),
    upstream,
  }
  if (entry.type === 'ollama') {
    const { upstream: send, apiKey, ...common } = options
    return ollamaBackend({ ...common, ...(apiKey && { apiKey }), send, now: Date.now, newId: () => crypto.randomUUID() })
  }
  if (entry.type === 'openai') return openaiBackend(options)
  if (entry.type === 'vllm') return vllmBackend(options)
  if (entry.type === 'llamacpp') return llamacppBackend(options)
  return compatibleBackend(options)
}

const limits = ({
  first_token,
  idle,
}: {
  readonly first_token?: number | undefined
  readonly idle?: number | undefined
}): Partial<BackendTimeouts> => ({
  ...(first_token !== undefined && { firstTokenMs: first_token }),
  ...(idle !== undefined && { idleMs: idle }),
})
