import { modelNotFound } from '../../errors.ts'
import type { Route } from '../../gateway.ts'
import type { Supervisor } from '../../processes/supervisor.ts'
import { auditEntries } from '../../records/audit-entries.ts'
import type { Records } from '../../records/records.ts'
import { answer } from './answers.ts'
import { readFlag } from './flags.ts'
import { note } from './note.ts'
import { unlessLeft } from './unless-left.ts'

/** Whoever asked may leave: it was asked for, and somebody will want it. */
const patient = new AbortController().signal

/**
 * `POST /admin/models/{name}/load`: answers when the model is ready, or at once with `{"wait":false}`. Called `:id`, because the
 * admin API has routes of that name there.
 */
export const loadRoute = (processes: Pick<Supervisor, 'has' | 'load' | 'list'>, records: Pick<Records, 'audit'>): Route => ({
  method: 'POST',
  path: '/admin/models/:id/load',
  access: 'admin',
  limited: true,
  body: 'json',
  async handle(ctx) {
    const model = ctx.params.id ?? ''
    if (!processes.has(model)) throw modelNotFound(model)
    const waits = readFlag(ctx.payload, 'wait', true)
    await note(ctx, records, auditEntries.modelLoaded(model, { who: ctx.principal.id }))
    ctx.phase = 'loading'
    const loaded = processes.load(model, patient)
    if (waits) await unlessLeft(ctx.signal, loaded)
    else loaded.catch(() => {}) // the log has the reason
    const row = processes.list().find(row => row.model === model)
    if (!row) throw modelNotFound(model) // another config has come meanwhile
    return answer(row, waits ? 200 : 202)
  },
})
