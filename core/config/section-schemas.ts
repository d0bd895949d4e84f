import * as v from 'valibot'
import { amountOrNone, bytes, countOr, duration, flag, integer, isTrue } from './amounts.ts'
import { given } from './patterns.ts'
import { key, mapping, section } from './settings.ts'
import { choice, secret, secretUrl, text } from './texts.ts'

/** How long gatehouse waits for what. The two that are left out follow `timeout`, see schema.ts. */
export const timeoutsSchema = mapping(
  v.strictObject({
    queue: v.optional(key(duration({ none: true }), 'Longest wait in a queue.'), '2m'),
    load: v.optional(key(duration({ none: true }), 'Longest load of a model.'), '10m'),
    first_token: v.optional(key(duration({ none: true }), 'Longest wait for the first byte of an answer; left out, it is timeout.')),
    idle: v.optional(key(duration({ none: true }), 'Longest silence between two bytes of an answer; left out, it is timeout.')),
    total: v.optional(key(duration({ none: true }), 'Longest answer as a whole.'), 'none'),
  }),
)

/** TLS for the port gatehouse listens on. */
export const tlsSchema = mapping(
  v.pipe(
    v.strictObject({
      enabled: v.optional(key(flag, 'Speak HTTPS instead of HTTP.'), false),
      cert_file: v.optional(key(text, 'PEM file of the certificate and its chain.')),
      key_file: v.optional(key(text, 'PEM file of the private key.')),
    }),
    v.metadata({
      if: { required: ['enabled'], properties: { enabled: isTrue } },
      // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
      then: { allOf: [given('cert_file'), given('key_file')] },
    }),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed || !dataset.value.enabled) return
      const missing = (['cert_file', 'key_file'] as const).filter(name => dataset.value[name] === undefined)
      const [first] = missing
      if (first === undefined) return
      // one line for both: they are one mistake
      addIssue({
        message: `is missing${missing.length > 1 ? ', and so is tls.key_file' : ''}; TLS needs a certificate and a key, as PEM files (TLS_CERT_FILE, TLS_KEY_FILE)`,
        path: [{ type: 'object', origin: 'value', input: dataset.value, key: first, value: undefined }],
      })
    }),
  ),
)

/** Where log lines go, beside stdout, and how they look there. */
export const logSchema = mapping(
  v.strictObject({
    file: v.optional(key(text, 'File to append the log to, beside stdout.')),
    format: v.optional(key(choice('auto', 'json', 'text'), 'How lines look on stdout; auto means text on a terminal, else JSON.'), 'auto'),
  }),
)

/** `/v1/system/*` and the system card; LlamaGate's names. */
export const introspectionSchema = mapping(
  v.strictObject({
    enabled: v.optional(key(flag, 'Offer /v1/system/*.'), true),
    hardware_enabled: v.optional(key(flag, 'Tell about the hardware.'), true),
    hardware_detail_level: v.optional(key(choice('minimal', 'standard', 'full'), 'How much to tell about the hardware.'), 'minimal'),
    chat_inject_enabled: v.optional(key(flag, 'Put a system card in front of every chat.'), false),
    chat_inject_include_hardware: v.optional(key(flag, 'The card names the hardware.'), true),
    chat_inject_include_models: v.optional(key(flag, 'The card names the models.'), true),
    chat_inject_include_llamagate_info: v.optional(key(flag, 'The card names the gateway and what it can do.'), true),
  }),
)

/** The file memory of the system card; LlamaGate's names. For the numbers, zero and less mean the default. */
export const memorySchema = mapping(
  v.strictObject({
    enabled: v.optional(key(flag, 'Keep notes about users for the system card.'), true),
    dir: v.optional(key(text, 'Folder of the notes; left out, one in the data folder.')),
    pinned_max: v.optional(key(countOr(50), 'Most pinned notes of one user.'), 50),
    recent_max: v.optional(key(countOr(100), 'Most recent notes of one user.'), 100),
    max_entry_chars: v.optional(key(countOr(500), 'Longest note, in characters.'), 500),
  }),
)

/** The response cache. */
export const cacheSchema = mapping(
  v.strictObject({
    enabled: v.optional(key(flag, 'Answer identical requests from memory.'), true),
    ttl: v.optional(key(duration(), 'How long an answer is kept.'), '1h'),
    max_entries: v.optional(key(integer(1), 'Most answers kept.'), 1000),
    max_bytes: v.optional(key(bytes, 'Most memory for answers.'), 67_108_864),
    mode: v.optional(key(choice('auto', 'all'), 'auto passes by requests that ask for variety; all keeps those too.'), 'auto'),
    scope: v.optional(
      key(choice('auto', 'key', 'all'), "Who may have whose answers. auto: managed keys only their own, all others each other's."),
      'auto',
    ),
    persist: v.optional(
      key(flag, 'Keep answers in DATA_DIR/cache.db too, beyond a restart. Not used with Redis, which keeps them.'),
      false,
    ),
    replay_rate: v.optional(key(integer(1, 1000), 'Events per second of a stream from the cache; left out, as fast as the client reads.')),
  }),
)

/** How many requests a managed key may make unless it says otherwise. */
export const limiterSchema = mapping(
  v.strictObject({ rpm: v.optional(key(integer(1), 'Requests per minute of a managed key that has no limit of its own.'), 60) }),
)

/** How many tokens a managed key may use unless it says otherwise. */
export const quotaSchema = mapping(
  v.strictObject({
    default_tokens: v.optional(key(amountOrNone, 'Tokens of a managed key that has no quota of its own; none is no limit.'), 1_000_000),
  }),
)

/** Shared state of several instances. */
export const redisSchema = mapping(
  v.strictObject({
    url: v.optional(key(secretUrl('redis', 'rediss'), 'Address of the Redis that several instances share.')),
    on_error: v.optional(
      key(choice('local', 'deny'), 'Without Redis: local counts in this instance alone, deny refuses requests.'),
      'local',
    ),
  }),
)

/** Who may read `/metrics`. */
export const metricsSchema = mapping(
  v.strictObject({
    token: v.optional(key(secret, 'Bearer token that opens /metrics.')),
    open: v.optional(key(flag, 'Let everybody read /metrics.'), false),
  }),
)

/** The database of keys, models and usage. */
export const databaseSchema = mapping(
  v.strictObject({ path: v.optional(key(text, 'SQLite file; left out, gatehouse.db in the data folder.')) }),
)

/** What plugins share. */
export const pluginsSchema = mapping(
  v.strictObject({
    enabled: v.optional(key(flag, 'Offer /v1/plugins.'), true),
    configs: v.optional(key(mapping(v.record(v.string(), section)), 'Options of plugins by name, instead of sections of their own.'), {}),
  }),
)

/** Threads for heavy work. */
export const workersSchema = mapping(
  v.strictObject({
    threads: v.optional(key(integer(1, 16), 'Threads that count tokens; each holds 60 to 80 MB while it is needed.'), 1),
    digest_from: v.optional(key(bytes, 'Bodies from this size on are hashed in a thread.'), 524_288),
    tokens_from: v.optional(key(integer(0), 'Texts of fewer characters have their tokens estimated, not counted.'), 0),
    budget: v.optional(key(duration(), 'Longest task of a thread. After that it is killed, and the tokens are estimated.'), '5s'),
  }),
)
