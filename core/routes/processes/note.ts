import type { Context } from '../../context.ts'
import type { AuditEntry } from '../../records/audit.ts'
import type { Records } from '../../records/records.ts'

/** Leaves a row in the audit. A full disk keeps nobody from unloading a model: the log has it then. */
export async function note(ctx: Context, { audit }: Pick<Records, 'audit'>, entry: AuditEntry): Promise<void> {
  try {
    await audit.add(entry)
  } catch (err) {
    ctx.log.error({ err, what: entry.what, model: entry.subjectName }, 'the audit has no row of this')
  }
}
