import { invalidRequest, type Models, type Route } from 'gatehouse'
import type { Answers } from './answers.ts'
import type { Limits } from './memory/memory.ts'

/** `GET /admin/cache`: what is kept and what it was good for. `DELETE /admin/cache[?model=NAME]`: drops it. */
export function adminRoutes(answers: Answers, models: Pick<Models, 'resolve'>, enabled: boolean, limits: Limits): readonly Route[] {
  const common = { path: '/admin/cache', access: 'admin', limited: true, body: 'none' } as const
  return [
    { ...common, method: 'GET', handle: () => Response.json(report(answers, enabled, limits)) },
    {
      ...common,
      method: 'DELETE',
      async handle({ url }) {
        const unknown = [...url.searchParams.keys()].find(name => name !== 'model')
        if (unknown !== undefined)
          throw invalidRequest(`There is no "${unknown}" here; ?model=NAME drops the answers of one model.`, 'invalid_query', unknown)
        const [model = null, ...others] = url.searchParams.getAll('model')
        if (others.length > 0) throw invalidRequest('model can be given once; ask again for another one.', 'invalid_query', 'model')
        // `?model=` of a script whose variable is empty must not drop everything
        if (model === '') throw invalidRequest('model must not be empty; left out, all answers are dropped.', 'invalid_query', 'model')
        // answers are kept under the configured name; an alias stands for it
        const name = model === null ? undefined : ((await models.resolve(model))?.name ?? model)
        return Response.json({ cleared: await answers.clear(name) })
      },
    },
  ]
}

function report({ counts, memory, shelf }: Answers, enabled: boolean, { maxEntries, maxBytes, ttlMs }: Limits) {
  return {
    enabled,
    entries: memory.entries,
    bytes: memory.bytes,
    max_entries: maxEntries,
    max_bytes: maxBytes,
    ttl_seconds: ttlMs / 1000,
    store: shelf ?? 'memory',
    hits: counts.hits,
    misses: counts.misses,
    joins: counts.joins,
    bypasses: counts.bypasses,
    tokens_saved: counts.tokensSaved,
    seconds_saved: Math.round(counts.msSaved) / 1000,
  }
}
