import { formatDuration, parseDuration } from '../duration.ts'
import type { LegacyFormat } from './legacy-format.ts'
import { adapters, firstBackends } from './modelgate-backends.ts'
import { redis } from './modelgate-redis.ts'
import { asText, needless, notTakenOver, type Take, to } from './rules.ts'

const longest = 30 * 60_000

/** There it was the length of a whole request, here it is silence: what is too much here loses nothing by being cut. */
const timeout: Take = (value, spot) => {
  const ms = typeof value === 'string' ? parseDuration(value) : undefined
  if (ms === undefined || ms <= longest) return spot.put(['timeout'], value)
  spot.put(['timeout'], formatDuration(longest))
  spot.warn(`${value} is more than gatehouse waits for a backend that is silent; ${formatDuration(longest)} it is`)
}

/** A number with its unit, as our settings want it; anything else goes on to be complained about. */
const withUnit = (unit: string) => (value: unknown) => (/^\d+$/.test(String(value)) ? `${value}${unit}` : value)

const level: Take = (value, spot) => {
  if (String(value).toLowerCase() === 'debug') spot.put(['debug'], true)
}

/** ModelGate's `configs/config.yaml`. Each key was also a variable: `MG_SERVER_PORT`. */
export const modelgate: LegacyFormat = {
  name: 'modelgate',
  title: 'ModelGate',
  anyCase: true,
  defaults: [
    { path: ['port'], value: 8080 },
    { path: ['max_body_size'], value: 5_242_880 },
  ],
  openWith: 'server.host: 0.0.0.0',
  rules: {
    server: {
      host: to(['host'], asText),
      port: to(['port']),
      mode: needless,
      // these three and `backends` are of its first version
      max_body_mb: to(['max_body_size'], withUnit('MiB')),
      timeout_seconds: (value, spot) => timeout(withUnit('s')(value), spot),
      sync_interval: needless,
    },
    backends: firstBackends,
    database: {
      path: to(['database', 'path'], asText),
      dsn: notTakenOver('gatehouse keeps a SQLite database of its own, see database.path'),
    },
    redis: { addr: redis('addr'), password: redis('password'), db: redis('db') },
    rate_limit: { rpm: to(['limiter', 'rpm']), burst: notTakenOver('the burst of a key follows from its rpm') },
    quota: { default_tokens: to(['quota', 'default_tokens']) },
    timeout,
    max_body_size: to(['max_body_size']),
    admin: { api_key: to(['admin', 'api_key'], asText), enabled: needless },
    adapters,
    log: { level, format: to(['log', 'format'], value => (value === 'console' ? 'text' : value)) },
    resilience: notTakenOver('gatehouse has its own rules for retries'),
  },
}
