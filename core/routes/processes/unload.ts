import { modelNotFound } from '../../errors.ts'
import type { Route } from '../../gateway.ts'
import type { Supervisor } from '../../processes/supervisor.ts'
import { rowOf } from '../../processes/supervisor-rows.ts'
import { auditEntries } from '../../records/audit-entries.ts'
import type { Records } from '../../records/records.ts'
import { answer } from './answers.ts'
import { readFlag } from './flags.ts'
import { note } from './note.ts'
import { unlessLeft } from './unless-left.ts'

const common = { method: 'POST', access: 'admin', limited: true, body: 'json' } as const

/**
 * `POST /admin/models/{name}/unload` and `POST /admin/unload` for all of them: requests in flight are waited for, unless
 * `{"force":true}` ends them. Whoever asked may leave; it goes on.
 */
export function unloadRoutes(
  processes: Pick<Supervisor, 'get' | 'unload' | 'unloadAll' | 'list'>,
  records: Pick<Records, 'audit'>,
): Route[] {
  return [
    {
      ...common,
      path: '/admin/models/:id/unload',
      async handle(ctx) {
        const model = ctx.params.id ?? ''
        const process = processes.get(model)
        if (!process) throw modelNotFound(model)
        const force = readFlag(ctx.payload, 'force', false)
        await note(ctx, records, auditEntries.modelUnloaded(model, force, { who: ctx.principal.id }))
        await unlessLeft(ctx.signal, processes.unload(model, { force }))
        // one that is no longer in the config is gone from the list with its end
        return answer(processes.list().find(row => row.model === model) ?? rowOf(process, undefined))
      },
    },
    {
      ...common,
      path: '/admin/unload',
      async handle(ctx) {
        const force = readFlag(ctx.payload, 'force', false)
        await note(ctx, records, auditEntries.modelUnloaded(null, force, { who: ctx.principal.id }))
        await unlessLeft(ctx.signal, processes.unloadAll({ force }))
        return answer({ data: processes.list() })
      },
    },
  ]
}
