import { statSync } from 'node:fs'
import type { LoadedConfig } from '../../config/load.ts'
import { ConfigError } from '../../errors.ts'
import { auditEntries } from '../../records/audit-entries.ts'
import { openRecords } from '../../records/sqlite.ts'
import { sqliteCode } from '../../sqlite.ts'
import { placeOfDatabase } from '../database-place.ts'
import { printError } from '../output.ts'

/** Notes in the audit of a gatehouse that does not run that its admin key was reset. Where that cannot be, says so: the key counts all the same. */
export async function noteReset(loaded: LoadedConfig): Promise<void> {
  const { path } = placeOfDatabase(loaded)
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return
  try {
    const { audit, close } = await openRecords({ path })
    try {
      await audit.add(auditEntries.adminKeyChanged({ who: 'command-line' }))
    } finally {
      close()
    }
  } catch (error) {
    if (!(error instanceof ConfigError) && sqliteCode(error) === undefined) throw error
    const why = error instanceof ConfigError ? error.message : sqliteCode(error)
    await printError(`gatehouse: warning: the audit has no row of this: ${why}\n`)
  }
}
