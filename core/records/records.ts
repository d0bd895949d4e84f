import type { MaybePromise } from '../plugin.ts'

/** A managed key as it is stored. The secret itself is never here, only its SHA-256. */
export interface KeyRecord {
  readonly id: number
  readonly name: string
  readonly sha256: string
  readonly enabled: boolean
  /** Tokens per period; null = unlimited, 0 = nothing. */
  readonly quota: number | null
  /** Requests per minute; null = no limit. */
  readonly rateLimit: number | null
  readonly version: number
}

/** One change somebody made through the admin API. Never holds a secret. */
export interface AuditRecord {
  readonly at: Date
  readonly who: string
  readonly what: string
  readonly before: unknown
  readonly after: unknown
}

/** Rows that outlive the process: keys and audit; models and usage join them as they come. */
export interface Records {
  readonly keys: {
    findBySha256(sha256: string): MaybePromise<KeyRecord | undefined>
    list(page: { readonly after?: number; readonly limit: number }): MaybePromise<readonly KeyRecord[]>
  }
  audit(row: AuditRecord): MaybePromise<void>
  close(): MaybePromise<void>
}
