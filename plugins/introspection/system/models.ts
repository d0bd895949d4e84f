import { type Gateway, type ListedModel, maskUrl, type Principal } from 'gatehouse'
import { isOperator } from '../users.ts'

/** `/v1/system/models`: LlamaGate's fields. `provider` and `endpoint` tell of the first backend, `models` of all. */
export function describeModels(
  { backends, config }: Pick<Gateway, 'backends' | 'config'>,
  models: readonly ListedModel[],
  principal: Principal,
) {
  const [first] = backends.values()
  const entry = first && config.backends[first.name]
  const endpoint = entry && 'base_url' in entry ? shownTo(principal, entry.base_url, entry.type) : undefined
  return {
    provider: first?.type ?? 'none',
    ...(endpoint !== undefined && { endpoint }),
    models: models.map(({ id, ownedBy }) => ({ id, name: id, owned_by: ownedBy, enabled: true })),
    ...(models[0] && { default_model: models[0].id }),
  }
}

/** Without user, password, query, and keys in the path. To a managed key only what `/health` tells everybody: the origin of an Ollama. */
function shownTo(principal: Principal, address: string, type: string): string | undefined {
  const { origin, pathname } = new URL(address)
  if (isOperator(principal)) return maskUrl(origin + pathname.replace(/\/$/, ''))
  return type === 'ollama' ? origin : undefined
}
