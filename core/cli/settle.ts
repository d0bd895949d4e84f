import { findAdminKey } from '../admin-key.ts'
import type { Config, MadeKeys } from '../config/schema.ts'
import { echoOnly, expectedOllama } from '../discover.ts'
import { findEntryKey } from '../entry-key.ts'
import type { FoundKey } from '../kept-key.ts'

/** How the echo model is offered. `always`: alone. `beside`: without a config, beside what is found. */
export type Demo = 'never' | 'beside' | 'always'

/** The config to serve, with what no file says: the backends that were found, and the keys that were made. */
export interface Settled {
  readonly config: Config
  /** Where the models come from, for people. */
  readonly found: string
  readonly entryKey: FoundKey | undefined
  readonly adminKey: FoundKey
}

export interface SettleOptions {
  /** True when nobody configured a backend. */
  readonly zeroConfig: boolean
  readonly demo: Demo
  /** What was found on this machine. */
  readonly discovered: Config['backends']
  /** SHA-256 of what the command line on this machine shows. */
  readonly localToken: string
}

/** Pause before each word of the demo model, so that a person sees a stream stream. */
const demoDelayMs = 40

/** Fills in what the config leaves to be found out. */
export async function settle(config: Config, options: SettleOptions): Promise<Settled> {
  const { found, ...backends } = withBackends(config, options)
  const entryKey = await findEntryKey(config)
  const adminKey = await findAdminKey(config)
  const made: MadeKeys = {
    local_token_sha256: options.localToken,
    ...(config.admin.api_key === undefined && { admin_api_key_sha256: adminKey.sha256 }),
  }
  const settled = { ...config, ...backends, ...(entryKey && { api_key_sha256: entryKey.sha256 }), made }
  return { config: settled, found, entryKey, adminKey }
}

type Places = Partial<Pick<Config, 'backends' | 'default_backend' | 'models'>> & { readonly found: string }

function withBackends(config: Config, { zeroConfig, demo, discovered }: SettleOptions): Places {
  const echo = echoOnly(demoDelayMs)
  if (demo === 'always') return { backends: echo, default_backend: undefined, models: [], found: 'the built-in echo model' }
  if (!zeroConfig) return { found: [...Object.keys(config.backends), ...ownModels(config)].join(', ') }
  const names = Object.keys(discovered)
  if (names.length > 0) {
    return {
      backends: { ...discovered, ...(demo === 'beside' && echo) },
      default_backend: names[0],
      found: `${names.join(', ')} (found on this machine)${demo === 'beside' ? ', and the built-in echo model' : ''}`,
    }
  }
  if (demo === 'beside') return { backends: echo, found: 'the built-in echo model (no model server found on this machine yet)' }
  return { backends: expectedOllama(), found: 'none found yet; looking for Ollama, llama-server, vLLM and LM Studio on this machine' }
}

/** The models that gatehouse runs itself, in a word. */
function ownModels({ models, models_dir: folder }: Config): readonly string[] {
  const own = models.filter(({ targets }) => targets.length === 0).length
  return [
    ...(own > 0 ? [`${own} ${own === 1 ? 'process' : 'processes'} of its own`] : []),
    ...(folder === undefined ? [] : [`the files in ${folder}`]),
  ]
}
