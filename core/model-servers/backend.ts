import type { Backend, Started } from '../backends/backend.ts'
import { llamacppBackend } from '../backends/llamacpp.ts'
import { compatibleBackend } from '../backends/openai.ts'
import { processBackend } from '../config/references.ts'
import { modelNotFound } from '../errors.ts'
import { upstream } from '../http/upstream.ts'
import type { ModelServers } from '../model-servers.ts'
import type { Lease } from '../processes/supervisor.ts'

/** How the process of a model is spoken to, as long as it lives. */
interface Adapter {
  readonly backend: Backend
  readonly gone: AbortSignal
  readonly listeners: Set<(reason: unknown) => void>
}

/** The models that gatehouse runs itself, as the router sees them: a backend that is started model by model. */
export function createProcessBackend(servers: Omit<ModelServers, 'prepare' | 'close'>): Backend {
  /** The adapter of each process, until there is another one: its connections are kept. */
  const adapters = new Map<string, Adapter>()
  const adapterOf = (model: string, { baseUrl, apiKey, gone }: Lease): Adapter => {
    const known = adapters.get(model)
    if (known?.gone === gone) return known
    const options = { name: processBackend, type: 'llamacpp', baseUrl, apiKey, upstream }
    const isLlamaServer = servers.find(model)?.model_path !== undefined
    const backend = isLlamaServer ? llamacppBackend(options) : compatibleBackend({ ...options, type: 'openai-compatible' })
    const adapter = { backend, gone, listeners: new Set<(reason: unknown) => void>() }
    // one for all requests: each with a listener of its own on the signal costs 3 µs
    const tell = () => {
      for (const listener of [...adapter.listeners]) listener(gone.reason)
    }
    gone.addEventListener('abort', tell, { once: true })
    adapters.set(model, adapter)
    return adapter
  }
  const started = (model: string, lease: Lease): Started => {
    const { backend, gone, listeners } = adapterOf(model, lease)
    return {
      backend,
      onGone(listener) {
        if (gone.aborted) listener(gone.reason)
        else listeners.add(listener)
        return () => void listeners.delete(listener)
      },
      release: lease.release,
    }
  }
  const start = (model: string, signal: AbortSignal): Promise<Started> => {
    if (!servers.find(model)) throw modelNotFound(model)
    return servers.supervisor.use(model, signal).then(lease => started(model, lease))
  }
  const isReady = (model: string) => servers.supervisor.get(model)?.state === 'ready'

  return {
    name: processBackend,
    type: 'llamacpp',
    slotsOf: servers.placesOf,
    start,
    speaks: () => true, // each program says itself what it lacks
    async send(call) {
      const { backend, release } = await start(call.model, call.signal)
      try {
        return await backend.send(call)
      } finally {
        release()
      }
    },
    models: async () => servers.models().map(({ name: id }) => ({ id, ownedBy: 'gatehouse' })),
    async probe() {}, // what does not run is started when it is needed
    async tokenize(prompt) {
      if (!isReady(prompt.model)) return undefined // nothing is loaded to count
      const { backend, release } = await start(prompt.model, prompt.signal)
      try {
        return await backend.tokenize?.(prompt)
      } finally {
        release()
      }
    },
  }
}
