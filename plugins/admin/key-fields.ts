import { type Config, invalidRequest, type KeyRecord, type KeySettings } from 'gatehouse'
import { endpoint, type Known } from './endpoints.ts'
import { type Given, readFields, required } from './fields.ts'
import { toStored } from './names.ts'
import { network } from './networks.ts'
import { grace, time } from './times.ts'
import { amount, flag, line, listOf, oneOf, orNull, pattern, wholeNumber } from './values.ts'

/** What can be seen of a key and is not for admins to choose. */
const fixed = ['id', 'prefix', 'key', 'used', 'reserved', 'remaining', 'reset_at', 'created_at', 'last_used_at']

/** So many entries a list may have: a request goes through them. */
const mostEntries = 1000

const settings = (known: Known) => ({
  name: line(128),
  enabled: flag,
  quota: amount,
  quota_period: oneOf('total', 'day', 'month'),
  rate_limit: amount,
  tokens_per_minute: amount,
  max_concurrency: amount,
  allowed_ips: listOf(network, mostEntries),
  allowed_models: listOf(pattern, mostEntries),
  allowed_endpoints: orNull(listOf(endpoint(known), mostEntries)),
  allowed_tools: listOf(pattern, mostEntries),
  cache_scope: orNull(oneOf('key', 'all', 'off')),
  expires_at: orNull(time),
})

/** The bodies of the routes of keys. */
export interface KeyBodies {
  /** A whole key: what was not sent is as the config has it, or as open as a new key may be. */
  create(payload: object): KeySettings
  /** Some of a key, and the version it was seen in. */
  change(payload: object): { readonly change: Partial<KeySettings>; readonly version: number | undefined }
  rotation(payload: object): { readonly graceMs: number; readonly version: number | undefined }
}

/** Reads them; `known` are the paths there are. */
export function createKeyBodies({ quota, limiter }: Pick<Config, 'quota' | 'limiter'>, known: Known): KeyBodies {
  const fields = settings(known)
  const changing = { ...fields, version: wholeNumber(1) }
  const rotating = { grace: orNull(grace), version: wholeNumber(1) }
  const unlessGiven: Omit<KeySettings, 'name'> = {
    enabled: true,
    quota: quota.default_tokens,
    quotaPeriod: 'total',
    rateLimit: limiter.rpm,
    tokensPerMinute: null,
    maxConcurrency: null,
    allowedIps: [],
    allowedModels: [],
    allowedEndpoints: null,
    allowedTools: [],
    cacheScope: null,
    expiresAt: null,
  }
  return {
    create(payload) {
      const given: Given<typeof fields> = readFields(payload, fields, [...fixed, 'version'])
      return { ...unlessGiven, ...toStored<Partial<KeySettings>>(given), name: required(given.name, 'name') }
    },
    change(payload) {
      const { version, ...given } = readFields(payload, changing, fixed)
      return { change: toStored(given), version }
    },
    rotation(payload) {
      const { grace, version } = readFields(payload, rotating)
      return { graceMs: grace ?? 0, version }
    },
  }
}

/** Throws a 400 for a time that is over: it would be taken for a mistake by whoever gets the key. One that is there already may stay. */
export function refusePast({ expiresAt }: Partial<KeySettings>, now: number, before?: Pick<KeyRecord, 'expiresAt'>): void {
  if (expiresAt === undefined || expiresAt === null || expiresAt > now || expiresAt === before?.expiresAt) return
  throw invalidRequest('expires_at is over already; to stop a key now, set enabled to false.', 'invalid_value', 'expires_at')
}
