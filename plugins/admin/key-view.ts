import type { KeyRecord, Ledger } from 'gatehouse'
import { iso, isoOrNull } from './times.ts'

/** A key as the admin API shows it: every field is always there, and never a secret. */
export async function presentKey(key: KeyRecord, ledger: Ledger) {
  const balance = await ledger.balance({ keyId: key.id, period: key.quotaPeriod, limit: key.quota })
  return {
    id: key.id,
    name: key.name,
    prefix: key.prefix,
    enabled: key.enabled,
    quota: key.quota,
    quota_period: key.quotaPeriod,
    used: balance.used,
    reserved: balance.reserved,
    remaining: balance.remaining,
    reset_at: isoOrNull(balance.resetAt),
    rate_limit: key.rateLimit,
    tokens_per_minute: key.tokensPerMinute,
    max_concurrency: key.maxConcurrency,
    allowed_ips: key.allowedIps,
    allowed_models: key.allowedModels,
    allowed_endpoints: key.allowedEndpoints,
    allowed_tools: key.allowedTools,
    cache_scope: key.cacheScope,
    expires_at: isoOrNull(key.expiresAt),
    created_at: iso(key.createdAt),
    last_used_at: isoOrNull(key.lastUsedAt),
    version: key.version,
  }
}
