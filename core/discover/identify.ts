import { ask, type Heard, type Said } from './ask.ts'
import type { Identity } from './identity.ts'

/** `nobody`: nothing listens. `silent`: too slow to say what it is. `stranger`: no model server. */
export type Verdict = Identity | 'nobody' | 'silent' | 'stranger'

/**
 * Finds out what listens at `url`, which ends without a slash, until `signal` ends the wait. Who is who, by the
 * public source of each: Ollama says "Ollama is running" at `/`; llama-server sends `Server: llama.cpp`; vLLM
 * owns its models and tells its version at `/version`; LM Studio has a greeting, and answers 200 to anything.
 */
export async function examine(url: string, signal: AbortSignal): Promise<Verdict> {
  const [home, list] = await Promise.all([ask(`${url}/`, signal), ask(`${url}/v1/models`, signal)])
  if (home === 'nobody' || home === 'silent') return home // silent: it might be one of us, and busy
  if (home === 'noise') return 'stranger'
  if (home.json?.name === 'gatehouse') return { type: 'gatehouse', product: 'gatehouse', ...version(home.json.version) }
  if (home.text.startsWith('Ollama is running')) return ollama(url, signal)
  if (typeof list === 'string') return list === 'silent' ? 'silent' : 'stranger'
  return (
    (await llamaServer(url, list, signal)) ??
    (await vllm(url, list, signal)) ??
    (await lmStudio(url, list, signal)) ??
    other(list) ??
    'stranger'
  )
}

/** What listens at `url`, which ends without a slash; undefined when it is no model server, or too slow to say. */
export async function identify(url: string, signal: AbortSignal): Promise<Identity | undefined> {
  const verdict = await examine(url, signal)
  return typeof verdict === 'string' ? undefined : verdict
}

async function ollama(url: string, signal: AbortSignal): Promise<Identity> {
  const [about, tags] = await Promise.all([json(`${url}/api/version`, signal), json(`${url}/api/tags`, signal)])
  const models = Array.isArray(tags?.models) ? { models: tags.models.map(model => String(model?.name)) } : {}
  return { type: 'ollama', product: 'Ollama', ...version(about?.version), ...models }
}

async function llamaServer(url: string, list: Said, signal: AbortSignal): Promise<Identity | undefined> {
  const signed = list.headers.get('server') === 'llama.cpp'
  if (!signed && !ownedBy(list, 'llamacpp')) return
  const props = await json(`${url}/props`, signal)
  if (!signed && props?.default_generation_settings === undefined) return // something in front of it signs as itself
  return { type: 'llamacpp', product: 'llama-server', ...version(props?.build_info), ...listed(list) }
}

async function vllm(url: string, list: Said, signal: AbortSignal): Promise<Identity | undefined> {
  const locked = list.status === 401 && list.json?.error === 'Unauthorized'
  if (!locked && !ownedBy(list, 'vllm')) return // others have a `/version` too
  const about = version((await json(`${url}/version`, signal))?.version)
  return about.version === undefined ? undefined : { type: 'vllm', product: 'vLLM', ...about, ...listed(list) }
}

async function lmStudio(url: string, list: Said, signal: AbortSignal): Promise<Identity | undefined> {
  const greets = (await json(`${url}/lmstudio-greeting`, signal))?.lmstudio === true
  if (!greets && !ownedBy(list, 'organization_owner')) return
  return { type: 'openai-compatible', product: 'LM Studio', ...listed(list) }
}

/** LocalAI, TGI, llama-swap, another gateway: whoever lists models as OpenAI does, or refuses to in its words. */
function other(list: Said): Identity | undefined {
  const answer = listed(list)
  const speaksOpenAI =
    answer.models || (answer.refuses === 'key' && typeof (list.json?.error as { message?: unknown })?.message === 'string')
  return speaksOpenAI ? { type: 'openai-compatible', product: 'OpenAI-compatible server', ...answer } : undefined
}

function listed(list: Said): Pick<Identity, 'models' | 'refuses'> {
  const models = modelsOf(list)
  if (models) return { models: models.map(({ id }) => id) }
  if (list.status === 401 || list.status === 403) return { refuses: 'key' }
  return list.status === 503 ? { refuses: 'loading' } : {}
}

const ownedBy = (list: Said, owner: string): boolean => {
  const models = modelsOf(list)
  return models !== undefined && models.length > 0 && models.every(model => model.owned_by === owner)
}

/** The entries of OpenAI's list of models. Programs in Go write an empty one as null. */
function modelsOf({ status, json: list }: Said): readonly { readonly id: string; readonly owned_by?: unknown }[] | undefined {
  if (status !== 200 || !list) return
  const { object, data } = list
  if (data === null && object === 'list') return []
  if (!Array.isArray(data) || !data.every(model => typeof model?.id === 'string')) return
  return object === 'list' || data.some(model => model.object === 'model') ? data : undefined
}

async function json(url: string, signal: AbortSignal): Promise<Said['json']> {
  const heard: Heard = await ask(url, signal)
  return typeof heard !== 'string' && heard.status === 200 ? heard.json : undefined
}

const version = (told: unknown): { version?: string } => (typeof told === 'string' && told !== '' ? { version: told } : {})
