import type { MaybePromise } from '../plugin.ts'
import type { AuditRecords } from './audit.ts'
import type { KeyRecords } from './keys.ts'
import type { ModelRecords } from './models.ts'
import type { SettingRecords } from './settings.ts'
import type { UsageRecords } from './usage.ts'

/**
 * Rows that outlive the process. Methods may answer synchronously, as SQLite does. Several instances share keys, models
 * and settings; usage and audit are each instance's own. Every implementation passes the same suite (`contract.ts`).
 */
export interface Records {
  readonly keys: KeyRecords
  readonly models: ModelRecords
  readonly usage: UsageRecords
  readonly audit: AuditRecords
  readonly settings: SettingRecords
  /** Copies all rows of this instance, as they are at one moment, into a new file for its owner alone. Throws a ConfigError when it cannot. */
  backup(file: string): Promise<void>
  close(): MaybePromise<void>
}
