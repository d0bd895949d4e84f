import * as v from 'valibot'
import { bytes, duration, durationOr, flag, integer, positiveNumber } from './amounts.ts'
import { backendSchema } from './backend-schema.ts'
import { mcpSchema } from './mcp-schema.ts'
import { modelSchema } from './model-schema.ts'
import { builtinPlugins, isPluginPath } from './pipeline.ts'
import { groupSchema } from './process-schema.ts'
import { breakerSchema, queueSchema } from './routing-schemas.ts'
import {
  cacheSchema,
  databaseSchema,
  introspectionSchema,
  limiterSchema,
  logSchema,
  memorySchema,
  metricsSchema,
  pluginsSchema,
  quotaSchema,
  redisSchema,
  timeoutsSchema,
  tlsSchema,
  workersSchema,
} from './section-schemas.ts'
import { key, list, mapping, section } from './settings.ts'
import { choice, hostName, listenHost, network, ollamaHost, origin, secret, secretText, text } from './texts.ts'

/** Without a port, these mean every port of a loopback host; see the README of this folder. */
export const defaultCorsOrigins: readonly string[] = ['http', 'https'].flatMap(scheme =>
  ['localhost', '127.0.0.1', '[::1]'].map(host => `${scheme}://${host}`),
)

const backendName = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_.-]+$/, 'is not a name for a backend; use letters, digits, "_", "." and "-"'))

const groupName = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_.-]+$/, 'is not a name for a group; use letters, digits, "_", "." and "-"'))

const pluginName = v.pipe(
  text,
  v.check(
    entry => isPluginPath(entry) || /^[a-z0-9]+(-[a-z0-9]+)*$/.test(entry),
    'must be the name of a plugin in kebab-case, or a path such as ./plugins/mine.ts',
  ),
)

const sha256 = v.pipe(
  secretText,
  v.check(hash => hash === undefined || /^[0-9a-f]{64}$/.test(hash), 'must be the SHA-256 of the key, as 64 lower-case hexadecimal digits'),
)

const originList = v.pipe(
  list(origin),
  v.transform((origins): '*' | string[] => (origins.includes('*') ? '*' : origins)),
)

const pipeline = v.pipe(
  list(pluginName),
  v.minLength(1, `must name at least one plugin; left out, it is [${builtinPlugins.join(', ')}]`),
  v.check(entries => new Set(entries).size === entries.length, 'must not name a plugin twice'),
)

const admin = mapping(v.strictObject({ api_key: v.optional(key(secret, 'The key of the administrator.')) }))

const keys = {
  host: v.optional(
    key(listenHost, 'Address to listen on; 127.0.0.1 and ::1 are only reached from this machine, 0.0.0.0 is open.'),
    '127.0.0.1',
  ),
  // Port 0, any free one, is for the command line alone; load.ts lets it past.
  port: v.optional(key(integer(1, 65_535), 'Port to listen on.'), 11_435),
  tls: v.optional(key(tlsSchema, 'HTTPS.'), {}),
  auth: v.optional(key(choice('auto', 'required', 'off'), 'Who may enter: auto is open on loopback until there is a key.'), 'auto'),
  api_key: v.optional(key(secret, 'A key that clients must show.')),
  api_key_sha256: v.optional(key(sha256, 'The SHA-256 of that key in hex, instead of the key.')),
  admin: v.optional(key(admin, 'Administration.'), {}),
  allowed_hosts: v.optional(key(list(hostName), 'Names, beside loopback, by which requests without a key may call gatehouse.'), []),
  cors_origins: v.optional(key(originList, 'Web pages that may call gatehouse; * is every one.'), [...defaultCorsOrigins]),
  trusted_proxies: v.optional(key(list(network), 'Addresses and ranges whose X-Forwarded-For counts.'), []),
  data_dir: v.optional(key(text, 'Folder of the database, plugins, logs and keys.'), '~/.gatehouse'),
  max_body_size: v.optional(key(bytes, 'Longest request body.'), 33_554_432),
  timeout: v.optional(key(duration({ atMost: 30 * 60_000 }), 'Longest wait for the first byte, and between bytes.'), '5m'),
  timeouts: v.optional(key(timeoutsSchema, 'Timeouts, one by one.'), {}),
  heartbeat: v.optional(key(duration(), 'Silence in a stream before a comment is sent.'), '10s'),
  health_check_timeout: v.optional(key(duration(), 'Longest check of a backend.'), '5s'),
  shutdown_timeout: v.optional(key(durationOr(30_000), 'Time that requests in flight get to end when gatehouse stops.'), '30s'),
  rate_limit_rps: v.optional(key(positiveNumber, 'Requests per second, all clients together.'), 50),
  debug: v.optional(key(flag, 'Log more.'), false),
  log: v.optional(key(logSchema, 'The log.'), {}),
  pipeline: v.optional(key(pipeline, 'The plugins a request passes, in this order: names, or paths of your own.'), [...builtinPlugins]),
  ollama_host: v.optional(key(ollamaHost, 'Address of Ollama; makes a backend named ollama.')),
  ollama_autostart: v.optional(key(flag, 'Start Ollama when it is not running; on this machine only.'), true),
  backends: v.optional(key(mapping(v.record(backendName, backendSchema)), 'The model servers, by names of your own.'), {}),
  default_backend: v.optional(key(text, 'The backend that gets every model name nobody else claims.')),
  models: v.optional(key(list(modelSchema), 'Names for models, and models that gatehouse runs itself.'), []),
  models_dir: v.optional(key(text, 'Folder with .gguf files, each of which is a model by the name of its file; with all folders in it.')),
  groups: v.optional(
    key(mapping(v.record(groupName, groupSchema)), 'Models that gatehouse runs and that share rules, by names of your own.'),
    {},
  ),
  llama_server_path: v.optional(
    key(text, 'The llama-server program, for models with a model_path and those of models_dir; left out, the one in the PATH.'),
  ),
  port_range_start: v.optional(key(integer(1, 65_535), 'First port of the model servers that gatehouse runs.'), 8081),
  max_loaded_models: v.optional(key(integer(1), 'Most model servers that gatehouse runs at once.'), 2),
  memory_limit: v.optional(key(bytes, 'Most memory that model servers may have together, of the machine and its GPUs.')),
  health_check_sec: v.optional(key(positiveNumber, 'Seconds between two checks of such a server.'), 30),
  limiter: v.optional(key(limiterSchema, 'Request rates of keys.'), {}),
  cache: v.optional(key(cacheSchema, 'The response cache.'), {}),
  quota: v.optional(key(quotaSchema, 'Token quotas of keys.'), {}),
  queue: v.optional(key(queueSchema, 'The queue in front of each model.'), {}),
  breaker: v.optional(key(breakerSchema, 'When a target that fails is left alone for a while.'), {}),
  router: key(section, 'Options of the plugin router.'),
  mcp: v.optional(key(mcpSchema, 'MCP servers, whose tools models may use.'), {}),
  introspection: v.optional(key(introspectionSchema, '/v1/system/* and the system card.'), {}),
  memory: v.optional(key(memorySchema, 'Notes about users for the system card.'), {}),
  database: v.optional(key(databaseSchema, 'The database of keys, models and usage.'), {}),
  redis: v.optional(key(redisSchema, 'What several instances share.'), {}),
  metrics: v.optional(key(metricsSchema, 'Who may read /metrics.'), {}),
  workers: v.optional(key(workersSchema, 'Threads for heavy work.'), {}),
  plugins: v.optional(key(pluginsSchema, 'What plugins share.'), {}),
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

/** What no source says and the start adds: SHA-256 in hex of keys that gatehouse made itself. */
export interface MadeKeys {
  /** Of the administrator; not there when the config has that key. */
  readonly admin_api_key_sha256?: string
  /** Of what the command line on this machine shows. */
  readonly local_token_sha256?: string
}

/** The settings of a running gateway. */
export type Config = v.InferOutput<typeof configSchema> & { readonly made?: MadeKeys }
