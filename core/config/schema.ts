import * as v from 'valibot'
import { backendSchema } from './backend-schema.ts'
import { modelSchema } from './model-schema.ts'
import { isPluginPath } from './pipeline.ts'
import {
  baseUrl,
  bytes,
  choice,
  duration,
  durationOr,
  flag,
  hostName,
  integer,
  list,
  listenHost,
  mapping,
  network,
  origin,
  positiveNumber,
  secret,
  section,
  text,
} from './settings.ts'

/** The plugins that come with gatehouse, in the order of the default pipeline. */
export const builtinPlugins: readonly string[] = ['auth', 'limiter', 'cache', 'quota', 'mcp-tools', 'router']

/** Without a port, these mean every port of a loopback host; see the README of this folder. */
export const defaultCorsOrigins: readonly string[] = [
  'http://localhost',
  'http://127.0.0.1',
  'http://[::1]',
  'https://localhost',
  'https://127.0.0.1',
  'https://[::1]',
]

const backendName = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_.-]+$/, 'is not a name for a backend; use letters, digits, "_", "." and "-"'))

const pluginName = v.pipe(
  text,
  v.check(
    entry => isPluginPath(entry) || /^[a-z0-9]+(-[a-z0-9]+)*$/.test(entry),
    'must be the name of a plugin in kebab-case, or a path such as ./plugins/mine.ts',
  ),
)

const sha256 = v.pipe(text, v.regex(/^[0-9a-f]{64}$/, 'must be the SHA-256 of the key, as 64 lower-case hexadecimal digits'))

const originList = v.pipe(
  list(origin),
  v.transform((origins): '*' | string[] => (origins.includes('*') ? '*' : origins)),
)

const pipeline = v.pipe(
  list(pluginName),
  v.minLength(1, `must name at least one plugin; left out, it is [${builtinPlugins.join(', ')}]`),
  v.check(entries => new Set(entries).size === entries.length, 'must not name a plugin twice'),
)

const timeouts = v.strictObject({
  queue: v.optional(duration({ none: true }), '2m'),
  load: v.optional(duration({ none: true }), '10m'),
  first_token: v.optional(duration({ none: true })),
  idle: v.optional(duration({ none: true })),
  total: v.optional(duration({ none: true }), 'none'),
})

const keys = {
  host: v.optional(listenHost, '127.0.0.1'),
  // Port 0, any free one, is for the command line alone; load.ts lets it past.
  port: v.optional(integer(1, 65_535), 11_435),
  auth: v.optional(choice('auto', 'required', 'off'), 'auto'),
  api_key: v.optional(secret),
  api_key_sha256: v.optional(sha256),
  admin: v.optional(mapping(v.strictObject({ api_key: v.optional(secret) })), {}),
  allowed_hosts: v.optional(list(hostName), []),
  cors_origins: v.optional(originList, [...defaultCorsOrigins]),
  trusted_proxies: v.optional(list(network), []),
  data_dir: v.optional(text, '~/.gatehouse'),
  max_body_size: v.optional(bytes, 33_554_432),
  timeout: v.optional(duration({ atMost: 30 * 60_000 }), '5m'),
  timeouts: v.optional(mapping(timeouts), {}),
  heartbeat: v.optional(duration(), '10s'),
  health_check_timeout: v.optional(duration(), '5s'),
  shutdown_timeout: v.optional(durationOr(30_000), '30s'),
  rate_limit_rps: v.optional(positiveNumber, 50),
  debug: v.optional(flag, false),
  pipeline: v.optional(pipeline, [...builtinPlugins]),
  ollama_host: v.optional(baseUrl),
  backends: v.optional(mapping(v.record(backendName, backendSchema)), {}),
  default_backend: v.optional(text),
  models: v.optional(list(modelSchema), []),
  plugins: v.optional(mapping(v.strictObject({ configs: v.optional(mapping(v.record(v.string(), section)), {}) })), {}),
  limiter: section,
  router: section,
  cache: section,
  quota: section,
  mcp: section,
  redis: section,
  log: section,
  introspection: section,
  metrics: section,
}

/** What may stand in gatehouse.yaml. The environment's names are found by walking it. */
export const fileSchema = v.strictObject(keys)

/** gatehouse.yaml, checked, with every default filled in; durations come out in milliseconds. */
export const configSchema = v.pipe(
  // `options` holds the sections of plugins that are not built in; in the file they stand at the top level.
  v.strictObject({ ...keys, options: section }),
  v.transform(({ timeouts, ...config }) => ({
    ...config,
    timeouts: { ...timeouts, first_token: timeouts.first_token ?? config.timeout, idle: timeouts.idle ?? config.timeout },
  })),
)

/** The settings of a running gateway. */
export type Config = v.InferOutput<typeof configSchema>
