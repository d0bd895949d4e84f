import { count, listed, type Row, time, words, yesNo } from '../table/texts.ts'
import type { Column } from '../table.ts'

/** Keys as a table: where the terminal is narrow, what tells least goes first. */
export const keyColumns: readonly Column<Row>[] = [
  { name: 'ID', right: true, text: ({ id }) => words(id) },
  { name: 'NAME', least: 12, text: ({ name }) => words(name) },
  { name: 'PREFIX', spare: 5, text: ({ prefix }) => words(prefix) },
  { name: 'STATE', text: stateOf },
  { name: 'QUOTA', right: true, text: quotaOf },
  { name: 'USED', right: true, text: ({ used }) => count(used) },
  { name: 'LEFT', right: true, spare: 1, text: ({ remaining }) => count(remaining, 'unlimited') },
  { name: 'RPM', right: true, spare: 2, text: ({ rate_limit: rpm }) => count(rpm, 'unlimited') },
  { name: 'EXPIRES', spare: 3, text: ({ expires_at: at }) => time(at, 'never') },
  { name: 'LAST USED', spare: 4, text: ({ last_used_at: at }) => time(at, 'never') },
]

/** A key with everything that is known of it. */
export const keyFields = (key: Row): readonly (readonly [string, string])[] => [
  ['id', words(key.id)],
  ['name', words(key.name)],
  ['prefix', words(key.prefix)],
  ['state', stateOf(key)],
  ['quota', quotaOf(key)],
  ['used', count(key.used)],
  ['reserved', count(key.reserved)],
  ['left', count(key.remaining, 'unlimited')],
  ['starts again', time(key.reset_at, 'never')],
  ['requests per minute', count(key.rate_limit, 'unlimited')],
  ['tokens per minute', count(key.tokens_per_minute, 'unlimited')],
  ['requests at once', count(key.max_concurrency, 'unlimited')],
  ['addresses', listed(key.allowed_ips, 'all')],
  ['models', listed(key.allowed_models, 'all')],
  ['endpoints', listed(key.allowed_endpoints, 'none', 'default')],
  ['tools', listed(key.allowed_tools, 'none')],
  ['cache scope', key.cache_scope === null ? 'default' : words(key.cache_scope)],
  ['expires', time(key.expires_at, 'never')],
  ['made', time(key.created_at)],
  ['last used', time(key.last_used_at, 'never')],
  ['version', words(key.version)],
]

/** A key in a sentence. */
export const keyName = ({ id, name }: Row): string => `key ${words(id)} (${words(name)})`

function stateOf({ enabled, expires_at: expiresAt }: Row): string {
  if (enabled === false) return 'disabled'
  if (typeof expiresAt === 'string' && Date.parse(expiresAt) <= Date.now()) return 'expired'
  return enabled === true ? 'enabled' : yesNo(enabled)
}

function quotaOf({ quota, quota_period: period }: Row): string {
  const often = typeof quota === 'number' && typeof period === 'string' && period !== 'total' ? `/${period}` : ''
  return count(quota, 'unlimited') + often
}
