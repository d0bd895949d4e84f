import type { Gateway, Route, RouteContext, UsageQuery } from 'gatehouse'
import { answer, notFound } from './answers.ts'
import { readId, readQuery } from './query.ts'
import { pageOfUsage } from './usage-page.ts'
import { dimensions, readUsageQuery } from './usage-query.ts'
import { presentUsage } from './usage-view.ts'

const common = { method: 'GET', access: 'admin', limited: true, body: 'none' } as const
const names = ['from', 'to', 'by', 'limit', 'after'] as const

/** `/admin/usage` and `/admin/keys/:id/usage`: what was used, by day and by whatever else is asked for. */
export function usageRoutes({ records, usage }: Gateway, now: () => number = Date.now): Route[] {
  const report = async ({ url }: RouteContext, words: readonly string[], of: Pick<UsageQuery, 'keyId'>) => {
    const query = readQuery(url, names)
    const asked = readUsageQuery(query, words, now())
    await usage.flush() // what was counted in the last seconds is still in memory
    const { rows, next } = pageOfUsage(await records.usage.query({ ...asked, ...of }), asked.by, query)
    return answer({ data: await Promise.all(rows.map(sum => presentUsage(sum, records.keys))), next })
  }

  return [
    { ...common, path: '/admin/usage', handle: ctx => report(ctx, Object.keys(dimensions), {}) },
    {
      ...common,
      path: '/admin/keys/:id/usage',
      async handle(ctx) {
        const id = readId(ctx)
        if (!(await records.keys.get(id))) throw notFound('key', id)
        return report(
          ctx,
          Object.keys(dimensions).filter(word => word !== 'key'),
          { keyId: id },
        )
      },
    },
  ]
}
