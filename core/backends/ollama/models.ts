import { GatewayError } from '../../errors.ts'
import { isObject } from '../../http/json-object.ts'
import type { ModelInfo } from '../backend.ts'
import { unreadable } from './answer.ts'
import { type OllamaClient, readAnswer } from './client.ts'
import { isString } from './values.ts'

/** The models Ollama has. Throws a 502 when it cannot be asked. */
export async function listModels(client: OllamaClient, signal: AbortSignal): Promise<ModelInfo[]> {
  const response = await client.get('/api/tags', { signal })
  if (!response.ok) {
    await response.body?.cancel()
    throw new GatewayError(502, 'server_error', 'bad_gateway', `Ollama returned status ${response.status}`)
  }
  const { models } = await readAnswer(response, signal)
  if (!Array.isArray(models)) throw unreadable()
  return models.filter(model => isObject(model) && isString(model.name)).map(toModel)
}

function toModel({ name, modified_at }: { name: string; modified_at?: string }): ModelInfo {
  const modified = Date.parse(modified_at ?? '')
  // Go writes a missing time as the year 1.
  return { id: name, ownedBy: 'ollama', ...(modified > 0 && { created: Math.floor(modified / 1000) }) }
}

/** Resolves when Ollama answers, throws a 503 that says why not. */
export async function probe(client: OllamaClient, signal: AbortSignal): Promise<void> {
  const { ok, status, body } = await client.get('/api/tags', { signal }).catch((cause: unknown) => {
    if (signal.aborted) throw signal.reason
    throw unavailable('Ollama unreachable', cause)
  })
  await body?.cancel()
  if (!ok) throw unavailable(`Ollama returned status ${status}`)
}

const unavailable = (message: string, cause?: unknown) =>
  new GatewayError(503, 'service_unavailable', 'model_unavailable', message, cause === undefined ? {} : { cause })
