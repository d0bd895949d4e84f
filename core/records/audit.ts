import type { MaybePromise } from '../plugin.ts'
import type { Page, PageRequest } from './page.ts'

/** Something somebody did, to be noted. */
export interface AuditEntry {
  readonly who: string
  /** `key.create`, `model.delete`, `admin-key.change`. */
  readonly what: string
  /** The id and the name of what it was done to. */
  readonly subjectId: number | null
  readonly subjectName: string | null
  /** JSON: what was changed, before and after. Null where there was nothing. Never a secret, hashed or not. */
  readonly before: unknown
  readonly after: unknown
}

/** One row of the audit. */
export interface AuditRecord extends AuditEntry {
  readonly id: number
  /** Milliseconds since 1970. */
  readonly at: number
}

/** Who changed what. Keys, models and settings write their rows themselves, together with the change. */
export interface AuditRecords {
  add(entry: AuditEntry): MaybePromise<void>
  /** The newest first. */
  list(page: PageRequest): MaybePromise<Page<AuditRecord>>
}
