import type { KeyRecord, KeySettings, StoredSecret } from '../keys.ts'
import { fold } from '../page.ts'

/** A row of the table `keys`. */
export interface KeyRow {
  readonly id: number
  readonly name: string
  readonly prefix: string
  readonly sha256: string
  readonly previous_sha256: string | null
  readonly grace_until: number | null
  readonly enabled: number
  readonly quota: number | null
  readonly quota_period: string
  readonly rate_limit: number | null
  readonly tokens_per_minute: number | null
  readonly max_concurrency: number | null
  readonly allowed_ips: string
  readonly allowed_models: string
  readonly allowed_endpoints: string | null
  readonly allowed_tools: string
  readonly cache_scope: string | null
  readonly expires_at: number | null
  readonly created_at: number
  readonly last_used_at: number | null
  readonly version: number
}

/** A key that has no id yet. */
export const newKey = (settings: KeySettings, { sha256, prefix }: StoredSecret, createdAt: number): Omit<KeyRecord, 'id'> => ({
  ...settings,
  sha256,
  prefix,
  previousSha256: null,
  graceUntil: null,
  createdAt,
  lastUsedAt: null,
  version: 1,
})

/** What is written of a key; all but its id, and `last_used_at`, which has a statement of its own. */
export const keyColumns = [
  'name',
  'folded_name',
  'prefix',
  'sha256',
  'previous_sha256',
  'grace_until',
  'enabled',
  'quota',
  'quota_period',
  'rate_limit',
  'tokens_per_minute',
  'max_concurrency',
  'allowed_ips',
  'allowed_models',
  'allowed_endpoints',
  'allowed_tools',
  'cache_scope',
  'expires_at',
  'created_at',
  'version',
] as const

/** The values of `keyColumns`. */
export const keyValues = (key: Omit<KeyRecord, 'id'>): (string | number | null)[] => [
  key.name,
  fold(key.name),
  key.prefix,
  key.sha256,
  key.previousSha256,
  key.graceUntil,
  key.enabled ? 1 : 0,
  key.quota,
  key.quotaPeriod,
  key.rateLimit,
  key.tokensPerMinute,
  key.maxConcurrency,
  JSON.stringify(key.allowedIps),
  JSON.stringify(key.allowedModels),
  key.allowedEndpoints && JSON.stringify(key.allowedEndpoints),
  JSON.stringify(key.allowedTools),
  key.cacheScope,
  key.expiresAt,
  key.createdAt,
  key.version,
]

/** Reads rows. Lists that are the same are the same object: most keys have empty ones, and there may be 100,000 keys. */
export function createKeyReader(): (row: KeyRow) => KeyRecord {
  const lists = new Map<string, readonly string[]>()
  const readList = (json: string): readonly string[] => {
    const known = lists.get(json)
    if (known) return known
    const list = Object.freeze(JSON.parse(json) as string[])
    if (lists.size >= mostLists) lists.clear()
    lists.set(json, list)
    return list
  }
  return row => ({
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    sha256: row.sha256,
    previousSha256: row.previous_sha256,
    graceUntil: row.grace_until,
    enabled: row.enabled === 1,
    quota: row.quota,
    quotaPeriod: row.quota_period as KeyRecord['quotaPeriod'],
    rateLimit: row.rate_limit,
    tokensPerMinute: row.tokens_per_minute,
    maxConcurrency: row.max_concurrency,
    allowedIps: readList(row.allowed_ips),
    allowedModels: readList(row.allowed_models),
    allowedEndpoints: row.allowed_endpoints === null ? null : readList(row.allowed_endpoints),
    allowedTools: readList(row.allowed_tools),
    cacheScope: row.cache_scope as KeyRecord['cacheScope'],
    expiresAt: row.expires_at,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    version: row.version,
  })
}

const mostLists = 1000
