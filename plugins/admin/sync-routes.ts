import type { Gateway, ModelRecord, Route, RouteContext } from 'gatehouse'
import { answer } from './answers.ts'
import { authorOf, write } from './change.ts'
import { readFields } from './fields.ts'
import { unknownBackend } from './model-place.ts'
import { readQuery } from './query.ts'
import { askBackends } from './sync-ask.ts'
import { planSync, type SyncPlan } from './sync-plan.ts'
import { flag, line, orNull } from './values.ts'

const fields = { dry_run: orNull(flag), backend: orNull(line(256)) }

/** `POST /admin/models/sync`: makes a model of each name that backends offer, and removes those that are no longer offered. */
export function syncRoute({ records: { models: rows }, models, config, log }: Gateway): Route {
  return {
    method: 'POST',
    path: '/admin/models/sync',
    access: 'admin',
    limited: true,
    body: 'json',
    async handle(ctx) {
      readQuery(ctx.url, [])
      const { dry_run: dryRun, backend: only = null } = readFields(ctx.payload, fields)
      const offering = models.offering()
      const asked = offering.filter(({ name }) => only === null || name === only)
      if (only !== null && asked.length === 0)
        throw unknownBackend(
          only,
          offering.map(({ name }) => name),
        )

      const { offers, errors } = await askBackends(asked, config.health_check_timeout, ctx.signal)
      const known = (await Array.fromAsync(rows.all())).flat()
      const answered = new Set(offers.map(({ backend }) => backend))
      const configured = new Set(offering.map(({ name }) => name))
      const silent = (backend: string) => !answered.has(backend) && (only !== null || configured.has(backend))
      const plan = planSync({ rows: known, offers, silent, configured: models.configured })
      const done = dryRun ? whatWould(plan) : await apply(plan, ctx)
      log.info({ added: done.added.length, removed: done.removed.length, failed: errors.length, dry_run: dryRun === true }, 'models synced')
      return answer({ ...done, unchanged: plan.unchanged, errors })
    },
  }

  /** What somebody else changes meanwhile is left to them. */
  async function apply({ add, move, remove }: SyncPlan, ctx: RouteContext) {
    const author = authorOf(ctx)
    const added: string[] = []
    const removed: string[] = []
    for (const row of remove) {
      if (typeof (await write(ctx, () => rows.delete(row.id, author, row.version))) === 'object') removed.push(row.name)
    }
    for (const { row, backend } of move) await write(ctx, () => rows.update(row.id, { backend }, author, row.version))
    for (const { name, backend } of add) {
      const settings = { name, backend, baseUrl: null, upstreamModel: null, enabled: true }
      if ((await write(ctx, () => rows.create(settings, 'sync', author))) !== 'taken') added.push(name)
    }
    await models.settled()
    return { added, removed }
  }
}

const whatWould = ({ add, remove }: SyncPlan) => ({ added: names(add), removed: names(remove) })

const names = (all: readonly Pick<ModelRecord, 'name'>[]) => all.map(({ name }) => name)
