import type { Principal } from '../context.ts'
import { GatewayError } from '../errors.ts'
import type { Gateway, Route } from '../gateway.ts'
import { findModel } from '../model-names.ts'
import type { ListedModel, ResolvedModel } from '../models.ts'

const common = { method: 'GET', access: 'key', limited: true, body: 'none' } as const

/** `GET /v1/models` and `GET /v1/models/{id}` (an id may hold slashes). */
export function modelRoutes({ models }: Pick<Gateway, 'models'>): Route[] {
  const listFor = async (principal: Principal, signal: AbortSignal) => {
    const listed = await models.list(principal, signal)
    const { mayUse } = principal
    return mayUse ? listed.filter(({ id }) => mayUse(id)) : listed
  }
  return [
    {
      ...common,
      path: '/v1/models',
      async handle({ principal, signal, log }) {
        const listed = await listFor(principal, signal)
        log.debug({ models: listed.length }, 'Models list retrieved')
        return Response.json({ object: 'list', data: listed.map(present) })
      },
    },
    {
      ...common,
      path: '/v1/models/*',
      async handle({ params, principal, signal }) {
        const id = params['*'] ?? ''
        const listed = await listFor(principal, signal)
        const found = findModel(listed, id) ?? (await alias(id))
        if (found) return Response.json(present(found))
        throw new GatewayError(404, 'invalid_request_error', 'model_not_found', `The model '${id}' does not exist here.`, {
          param: 'model',
        })

        async function alias(name: string): Promise<ListedModel | undefined> {
          const resolved = await models.resolve(name)
          // an alias or wildcard is a model of its own; a name that merely falls to the default backend is not
          if (!resolved || !mayUseBoth(principal, resolved) || (resolved.name === name && resolved.contextLength === undefined)) return
          return { id: name, ownedBy: 'gatehouse', created: 0, ...(resolved.contextLength && { contextLength: resolved.contextLength }) }
        }
      },
    },
  ]
}

const mayUseBoth = ({ mayUse }: Principal, { asked, name }: ResolvedModel) =>
  !mayUse || (mayUse(asked) && (name.includes('*') || mayUse(name)))

const present = ({ id, created, ownedBy, contextLength }: ListedModel) => ({
  id,
  object: 'model',
  created,
  owned_by: ownedBy,
  ...(contextLength !== undefined && { context_length: contextLength }),
})
