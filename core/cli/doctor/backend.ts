import type { ModelInfo } from '../../backends/backend.ts'
import { createBackend } from '../../backends/create.ts'
import type { Config } from '../../config/schema.ts'
import { identify } from '../../discover.ts'
import { howToStart, type Machine, type Place, placeOf } from './backend-place.ts'
import { isSilent, reasonOf } from './backend-reason.ts'
import { type Finding, ok, problem, warning } from './finding.ts'
import { checkTargets } from './targets.ts'

type Entry = Config['backends'][string]

/** What checking a backend needs to know. */
export interface BackendOptions extends Machine {
  readonly config: Pick<Config, 'models' | 'ollama_autostart'>
  readonly timeoutMs: number
}

/** One backend: does it answer, how fast, with which models, and does it have those the config sends to it. */
export async function checkBackend(name: string, entry: Entry, options: BackendOptions, signal: AbortSignal): Promise<readonly Finding[]> {
  if (entry.type === 'echo') return [ok('the built-in echo model')]
  const place = placeOf(name, entry, options)
  const backend = createBackend(name, entry)
  const patience = AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs)])
  const askedAt = performance.now()
  let answeredAt = askedAt
  const [listed, well] = await Promise.allSettled([
    backend.models(patience).finally(() => {
      answeredAt = performance.now()
    }),
    backend.probe(patience),
  ])
  await backend.close?.()
  if (listed.status === 'rejected') return [await unanswered(entry, place, listed.reason, well.status === 'fulfilled', options)]
  const models = listed.value
  const unwell = well.status === 'rejected' ? [unready(place, reasonOf(well.reason, options.timeoutMs).text)] : []
  return [
    describe(place, models, Math.max(1, Math.round(answeredAt - askedAt))),
    ...unwell,
    ...checkTargets(name, entry.type, place, models, options.config.models),
  ]
}

function describe({ label, pull }: Place, models: readonly ModelInfo[], ms: number): Finding {
  if (models.length === 0) return warning(`${label} answers in ${ms} ms and has no models`, pull?.('llama3.2') ?? 'load a model there')
  return ok(`${label} answers in ${ms} ms, with ${models.length} model${models.length === 1 ? '' : 's'}`)
}

const unready = ({ label }: Place, reason: string) => warning(`${label} lists its models, but would not take a call: ${reason}`)

async function unanswered(
  entry: Exclude<Entry, { type: 'echo' }>,
  place: Place,
  error: unknown,
  well: boolean,
  options: BackendOptions,
): Promise<Finding> {
  const reason = reasonOf(error, options.timeoutMs)
  const { kind, text } = reason
  const { label, setting } = place
  if (kind === 'key')
    return problem(`${label}: ${text}`, `correct ${setting}.api_key${hasAuthHeader(entry) ? ` or ${setting}.headers` : ''}`)
  if (kind === 'busy') return warning(`${label}: ${text}`)
  if (kind === 'certificate') {
    return problem(`${label}: ${text}`, 'use a certificate this machine trusts; NODE_EXTRA_CA_CERTS names a file with further authorities')
  }
  if (isSilent(reason)) return howToStart(place, reason, options)
  if (well && entry.models) return warning(`${label} answers, but cannot list its models: ${text}; the config names them`)
  const identity = await identify(place.origin, AbortSignal.timeout(options.timeoutMs))
  const looks = identity ? `; it looks like ${identity.product}` : ''
  return problem(`${label} answers, but not as ${entry.type} does: ${text}${looks}`, `check ${setting}.type and ${setting}.base_url`)
}

const hasAuthHeader = ({ headers }: { readonly headers: Readonly<Record<string, string>> }) =>
  Object.keys(headers).some(name => /auth|key/i.test(name))
