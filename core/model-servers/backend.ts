import type { Backend, Started } from '../backends/backend.ts'
import { llamacppBackend } from '../backends/llamacpp.ts'
import { compatibleBackend } from '../backends/openai.ts'
import { processBackend } from '../config/references.ts'
import { GatewayError, modelNotFound } from '../errors.ts'
import { upstream } from '../http/upstream.ts'
import type { ModelServers } from '../model-servers.ts'
import type { ServerAddress } from '../processes/server-process-spec.ts'

/** The models that gatehouse runs itself, as the router sees them: a backend that is started model by model. */
export function createProcessBackend(servers: Omit<ModelServers, 'prepare' | 'close'>): Backend {
  /** The adapter of each process, until there is another one: its connections are kept. */
  const adapters = new Map<string, { readonly address: string; readonly backend: Backend }>()
  const adapterOf = (model: string, { baseUrl, apiKey }: ServerAddress): Backend => {
    const address = `${baseUrl} ${apiKey}`
    const known = adapters.get(model)
    if (known?.address === address) return known.backend
    const options = { name: processBackend, type: 'llamacpp', baseUrl, apiKey, upstream }
    const isLlamaServer = servers.find(model)?.model_path !== undefined
    const backend = isLlamaServer ? llamacppBackend(options) : compatibleBackend({ ...options, type: 'openai-compatible' })
    adapters.set(model, { address, backend })
    return backend
  }
  const ready = (model: string) => servers.supervisor.get(model)?.state === 'ready'
  const start = async (model: string, signal: AbortSignal): Promise<Started> => {
    if (!servers.find(model)) throw modelNotFound(model)
    const lease = await servers.supervisor.use(model, signal)
    return { backend: adapterOf(model, lease), gone: lease.gone, release: lease.release }
  }

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
      if (!ready(prompt.model)) return undefined // nothing is loaded to count
      const started = await start(prompt.model, prompt.signal)
      try {
        return await started.backend.tokenize?.(prompt)
      } catch (error) {
        if (error instanceof GatewayError && started.gone.aborted) return undefined
        throw error
      } finally {
        started.release()
      }
    },
  }
}
