import { asMoment } from './moment.ts'
import { asCount, asList, asOneOf, asText, asTruth, type Reader } from './values.ts'

/** What can be set on a key: the option, and how it is read. The admin API has the same names, with `_`. */
export const keyReaders: Readonly<Record<string, Reader>> = {
  name: asText,
  enabled: asTruth,
  quota: asCount,
  'quota-period': asOneOf({ total: 'total', day: 'day', month: 'month' }),
  'rate-limit': asCount,
  'tokens-per-minute': asCount,
  'max-concurrency': asCount,
  // an empty list lifts these two limits, and forbids with the others
  'allowed-ips': asList({ all: [] }),
  'allowed-models': asList({ all: [] }),
  'allowed-endpoints': asList({ default: null, none: [] }),
  'allowed-tools': asList({ none: [] }),
  'cache-scope': asOneOf({ key: 'key', all: 'all', off: 'off', default: null }),
  'expires-at': asMoment(Date.now),
}

/** The same as options of the command line. */
export const keyOptions = {
  name: { type: 'string', short: 'n' },
  enabled: { type: 'string', short: 'e' },
  quota: { type: 'string', short: 'q' },
  'quota-period': { type: 'string' },
  'rate-limit': { type: 'string', short: 'r' },
  'tokens-per-minute': { type: 'string' },
  'max-concurrency': { type: 'string' },
  'allowed-ips': { type: 'string', short: 'i', multiple: true },
  'allowed-models': { type: 'string', multiple: true },
  'allowed-endpoints': { type: 'string', multiple: true },
  'allowed-tools': { type: 'string', multiple: true },
  'cache-scope': { type: 'string' },
  'expires-at': { type: 'string' },
} as const
