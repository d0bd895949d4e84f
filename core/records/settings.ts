import type { MaybePromise } from '../plugin.ts'
import type { Author } from './page.ts'

/** What the house remembers of itself. */
export interface Settings {
  /** The hash of the admin key, in hexadecimal; null before there is one. */
  readonly adminKeySha256: string | null
  /** There once was a key, so the gateway no longer opens by itself. */
  readonly closed: boolean
}

/** The settings of the house, shared by all instances that share its keys. */
export interface SettingRecords {
  get(): MaybePromise<Settings>
  /** Leaves a row in the audit for each setting that changed; what it holds is not in it. */
  set(change: Partial<Settings>, author: Author): MaybePromise<Settings>
  /** Called after each change, wherever it was made. The result ends that. The listener must not throw. */
  onChange(listener: (settings: Settings) => void): () => void
}
