import { ConfigError } from '../errors.ts'
import { parseListenHost } from './address.ts'
import { listNames, resolveName } from './env-names.ts'
import { readText } from './normalise.ts'
import type { Origins } from './origins.ts'
import { fileSchema } from './schema.ts'
import { section } from './settings.ts'
import { type Part, partAt, shapeOf } from './shape.ts'
import { didYouMean } from './suggest.ts'
import { getPath, type Path, setPath, type Tree } from './tree.ts'

/** Names without the prefix that gatehouse listens to, and what they set. */
export const plainNames: Readonly<Record<string, Path>> = {
  HOST: ['host'],
  PORT: ['port'],
  AUTH: ['auth'],
  API_KEY: ['api_key'],
  ADMIN_API_KEY: ['admin', 'api_key'],
  ALLOWED_HOSTS: ['allowed_hosts'],
  CORS_ORIGINS: ['cors_origins'],
  TRUSTED_PROXIES: ['trusted_proxies'],
  DATA_DIR: ['data_dir'],
  MAX_BODY_SIZE: ['max_body_size'],
  TIMEOUT: ['timeout'],
  HEALTH_CHECK_TIMEOUT: ['health_check_timeout'],
  SHUTDOWN_TIMEOUT: ['shutdown_timeout'],
  RATE_LIMIT_RPS: ['rate_limit_rps'],
  DEBUG: ['debug'],
  OLLAMA_HOST: ['ollama_host'],
  DEFAULT_BACKEND: ['default_backend'],
}

const prefix = 'GATEHOUSE_'

/** Variables by name. Empty ones count as not set. */
export type Variables = Readonly<Record<string, string | undefined>>

/** What the layers of the config are written into. */
export interface Draft {
  readonly tree: Tree
  readonly origins: Origins
  readonly warnings: string[]
}

/** A `GATEHOUSE_` name that the schema does not know; perhaps it belongs to a plugin. */
export interface Unmatched {
  readonly name: string
  readonly text: string
  /** `environment` or `.env`. */
  readonly from: string
}

/** Lays variables over the draft, plain names below prefixed ones, and answers the names nobody knew. */
export function applyVariables(draft: Draft, variables: Variables, from: string): Unmatched[] {
  for (const [name, path] of Object.entries(plainNames)) {
    const text = variables[name]
    if (!text?.trim()) continue
    // Every other program reads DEBUG too, and means something else by it.
    if (name === 'DEBUG' && !/^(true|false|yes|no|on|off|0|1)$/i.test(text.trim())) {
      draft.warnings.push(`${from} DEBUG: ignored, because ${JSON.stringify(text)} is neither true nor false`)
      continue
    }
    // Shells and containers export HOST as the name of the machine, which nobody meant for us.
    if (name === 'HOST' && parseListenHost(text) === undefined) {
      draft.warnings.push(`${from} HOST: ignored, because ${JSON.stringify(text)} is neither an IP address nor localhost`)
    } else put(draft, path, text, `${from} ${name}`)
  }
  for (const name of laterNames) {
    if (variables[name]?.trim()) draft.warnings.push(`${from} ${name}: ignored, because it is not part of this release yet`)
  }
  if (/^(true|yes|on|1)$/i.test(variables.TLS_ENABLED?.trim() ?? '')) {
    throw new ConfigError(
      `${from} TLS_ENABLED: TLS is not part of this release yet; put a proxy that speaks it in front, or leave TLS_ENABLED out`,
    )
  }
  return applyPrefixed(draft, variables, from)
}

/** LlamaGate's and ModelGate's names for what later releases bring: set, they must not be passed over in silence. */
const laterNames = [
  'LOG_FILE',
  'TLS_CERT_FILE',
  'TLS_KEY_FILE',
  'MCP_ENABLED',
  'MG_ADMIN_API_KEY',
  'METRICS_TOKEN',
  'REDIS_URL',
  'CACHE_ENABLED',
]

/** Gives unmatched names to the sections of plugins that are not built in, and warns of those that fit nowhere. */
export function applyPluginVariables(draft: Draft, unmatched: readonly Unmatched[], plugins: readonly string[]): void {
  for (const { name, text, from } of unmatched) {
    const sections = Object.fromEntries(plugins.map(plugin => [plugin, draft.tree[plugin] ?? {}]))
    const bare = name.slice(prefix.length)
    const path = resolveName(anySection, sections, bare, text)
    if (path && path.length > 1 && plugins.includes(String(path[0]))) put(draft, path, text, `${from} ${name}`)
    else {
      const hint = didYouMean(bare, listNames(fileSchema, draft.tree), prefix)
      draft.warnings.push(`${from} ${name}: ignored, because there is no such setting${hint}`)
    }
  }
}

const anySection: Part = section

function applyPrefixed(draft: Draft, variables: Variables, from: string): Unmatched[] {
  const unmatched: Unmatched[] = []
  const linked = isServiceLink(variables)
  if (linked) draft.warnings.push(`${from} ${prefix}PORT: ignored, because Kubernetes sets it for a service named gatehouse`)
  const found: { readonly name: string; readonly text: string; readonly path: Path }[] = []
  for (const [name, text] of Object.entries(variables)) {
    if (!name.startsWith(prefix) || !text?.trim() || (linked && /^GATEHOUSE_(PORT|SERVICE)(_|$)/.test(name))) continue
    const path = resolveName(fileSchema, draft.tree, name.slice(prefix.length), text)
    if (path) found.push({ name, text, path })
    else unmatched.push({ name, text, from })
  }
  // Whole mappings first, so that GATEHOUSE_BACKENDS_HOME_TYPE adds to GATEHOUSE_BACKENDS and is not lost under it.
  for (const { name, text, path } of found.toSorted((a, b) => a.path.length - b.path.length)) put(draft, path, text, `${from} ${name}`)
  return unmatched
}

// GATEHOUSE_PORT=tcp://10.0.0.1:11435, GATEHOUSE_SERVICE_HOST and more are in every pod beside such a service.
const isServiceLink = (variables: Variables) => /^(tcp|udp|sctp):\/\//.test(variables[`${prefix}PORT`] ?? '')

function put(draft: Draft, path: Path, text: string, label: string): void {
  setPath(draft.tree, path, readText(shapeOf(partOf(path), getPath(draft.tree, path)), text))
  draft.origins.note(path, label)
}

/** The part of the schema at a path; keys it does not know are sections of plugins. */
function partOf(path: Path): Part {
  return path.reduce<Part>((part, key) => partAt(shapeOf(part), key) ?? (part === fileSchema ? anySection : part), fileSchema)
}
