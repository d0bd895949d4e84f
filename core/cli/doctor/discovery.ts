import { type Identity, identify, type Place } from '../../discover.ts'
import { type BackendOptions, checkBackend } from './backend.ts'
import { findProgram } from './backend-place.ts'
import { type Finding, problem, warning } from './finding.ts'

/** A server on this machine says who it is well within this. */
const patienceMs = 1500

/** Without configured backends: what is there on the usual ports, and what would be started. */
export async function checkDiscovery(places: readonly Place[], options: BackendOptions, signal: AbortSignal): Promise<readonly Finding[]> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)])
  const found = (await Promise.all(places.map(place => identifyAt(place, patience)))).filter(find => find !== undefined)
  if (found.length === 0) return [nothing(options)]
  return (await Promise.all(found.map(({ url, identity }) => describe(url, identity, options, signal)))).flat()
}

async function identifyAt({ port }: Place, signal: AbortSignal) {
  const bases = [`http://127.0.0.1:${port}`, `http://[::1]:${port}`]
  const identities = await Promise.all(bases.map(base => identify(base, signal)))
  const index = identities.findIndex(identity => identity && identity.type !== 'gatehouse')
  return index === -1 ? undefined : { url: bases[index] as string, identity: identities[index] as Identity }
}

async function describe(url: string, identity: Identity, options: BackendOptions, signal: AbortSignal): Promise<readonly Finding[]> {
  const { product, type, refuses } = identity
  if (refuses === 'key') return [warning(`${product} at ${url} wants a key`, 'name it under backends: in gatehouse.yaml, with its api_key')]
  if (refuses === 'loading') return [warning(`${product} at ${url} is still loading its model`)]
  if (type === 'gatehouse') return []
  return checkBackend(product, { type, base_url: url, headers: {}, timeouts: {} }, options, signal)
}

function nothing({ config, path }: BackendOptions): Finding {
  const message = 'no Ollama, llama-server, vLLM or LM Studio answers on its usual port of this machine'
  const other = 'or name your servers under backends: in gatehouse.yaml'
  if (!findProgram('ollama', path)) {
    return problem(message, `install one (Ollama: https://ollama.com) ${other}; gatehouse demo needs none`)
  }
  if (config.ollama_autostart) return warning(`${message}; ollama is installed, so gatehouse serve starts it`)
  return problem(message, `start it with: ollama serve (or leave out OLLAMA_AUTOSTART=false), ${other}`)
}
