import type { MaybePromise } from '../plugin.ts'
import type { Changed } from './keys.ts'
import type { Author, CountedPage, PageRequest } from './page.ts'

/** What an admin may set on a model. */
export interface ModelSettings {
  /** What clients ask for; only one model has it. */
  readonly name: string
  /** A type, and then `baseUrl` says where; or the name of a configured backend. */
  readonly backend: string
  readonly baseUrl: string | null
  /** Its name at the backend; null = the same. */
  readonly upstreamModel: string | null
  readonly enabled: boolean
}

/** A model that was made through the admin API. Those of the config file are not stored. */
export interface ModelRecord extends ModelSettings {
  /** Never given again. */
  readonly id: number
  /** `sync`: found at a backend, and removed when that no longer has it. */
  readonly source: 'admin' | 'sync'
  readonly createdAt: number
  /** One more with each change. */
  readonly version: number
}

/** The models made through the admin API; changes as with keys. 'taken': another model has that name. */
export interface ModelRecords {
  get(id: number): MaybePromise<ModelRecord | undefined>
  /** By ascending id. `search`: the name contains it, in whatever case. */
  list(page: PageRequest & { readonly search?: string }): MaybePromise<CountedPage<ModelRecord>>
  /** Every model, by ascending id in parts. */
  all(): AsyncIterable<readonly ModelRecord[]>
  create(settings: ModelSettings, source: ModelRecord['source'], author: Author): MaybePromise<ModelRecord | 'taken'>
  update(id: number, change: Partial<ModelSettings>, author: Author, version?: number): MaybePromise<Changed<ModelRecord> | 'taken'>
  /** The model as it was. */
  delete(id: number, author: Author, version?: number): MaybePromise<Changed<ModelRecord>>
  /** Called after each change, wherever it was made. The result ends that. The listener must not throw. */
  onChange(listener: () => void): () => void
}
