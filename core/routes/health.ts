import type { Backend } from '../backends/backend.ts'
import type { Config } from '../config/schema.ts'
import type { Principal } from '../context.ts'
import type { RunReport } from '../data-folder/starts.ts'
import { isOpen } from '../entry-key.ts'
import type { Gateway, Route } from '../gateway.ts'
import type { Supervisor } from '../processes/supervisor.ts'
import type { SettingRecords } from '../records/settings.ts'

type House = Pick<Gateway, 'backends' | 'store'> & {
  readonly processes: Pick<Supervisor, 'list'>
  readonly settings: Pick<SettingRecords, 'get'>
  readonly config: Pick<Config, 'backends' | 'health_check_timeout' | 'auth' | 'api_key' | 'api_key_sha256'>
  /** What plugins add, for callers with a key. */
  readonly sections: ReadonlyMap<string, () => unknown>
  readonly stopping: () => boolean
  readonly runs?: (() => RunReport) | undefined
}

/** How a backend answered its probe. */
interface Report {
  readonly backend: Backend
  readonly error?: string
}

const open = { method: 'GET', access: 'open', limited: false, body: 'none' } as const

/** `/health` as LlamaGate had it, and the two questions an orchestrator asks. */
export function healthRoutes(house: House): Route[] {
  let probing: Promise<readonly Report[]> | undefined
  const timeoutMs = house.config.health_check_timeout

  /** Callers that arrive while the backends are being asked share the answer: the path is open to everybody. */
  const probeAll = () => {
    probing ??= Promise.all([...house.backends.values()].map(backend => probe(backend, timeoutMs))).finally(() => {
      probing = undefined
    })
    return probing
  }

  return [
    {
      ...open,
      path: '/health',
      async handle({ principal }) {
        const reports = await probeAll()
        const known = principal.kind !== 'anonymous' || (await needsNoKey(house))
        const down = reports.filter(({ error }) => error !== undefined)
        const dead = reports.length > 0 && down.length === reports.length
        const status = dead ? 'unhealthy' : down.length > 0 || house.store.state === 'down' ? 'degraded' : 'healthy'
        return Response.json(
          {
            status,
            ...(dead && { error: down[0]?.error }),
            ...describeOllama(reports, house.config),
            ...(principal.kind !== 'anonymous' && {
              backends: Object.fromEntries(reports.map(describe)),
              ...Object.fromEntries([...house.sections].map(([section, tell]) => [section, tell()])),
              ...(house.store.name !== 'memory' && {
                store: { type: house.store.name, status: house.store.state === 'up' ? 'ok' : 'down' },
              }),
            }),
            ...tellRuns(house, principal, known),
            ...tellLoaded(house, principal, known),
          },
          { status: dead ? 503 : 200 },
        )
      },
    },
    { ...open, path: '/health/live', handle: () => Response.json({ status: 'alive' }) },
    {
      ...open,
      path: '/health/ready',
      handle: () => (house.stopping() ? Response.json({ status: 'stopping' }, { status: 503 }) : Response.json({ status: 'ready' })),
    },
  ]
}

/** True for everybody as long as nobody needs a key. */
async function needsNoKey({ settings, config }: House): Promise<boolean> {
  return config.auth === 'off' || (isOpen(config) && !(await settings.get()).closed)
}

/** To callers with a key; where nobody has one, a crash loop is told to everybody. */
function tellRuns({ runs }: House, { kind }: Principal, known: boolean) {
  const report = runs?.()
  return report && (kind !== 'anonymous' || (report.crash_loop && known)) ? { runs: report } : undefined
}

/** LlamaWrapper's field: the models whose processes are ready. To callers with a key, and to all where nobody needs one. */
function tellLoaded({ processes }: House, { mayUse }: Principal, known: boolean) {
  const rows = processes.list()
  if (rows.length === 0 || !known) return
  const loaded = rows.filter(({ model, state }) => state === 'ready' && (mayUse?.(model) ?? true))
  return { loaded_models: loaded.map(({ model }) => model) }
}

async function probe(backend: Backend, timeoutMs: number): Promise<Report> {
  try {
    await backend.probe(AbortSignal.timeout(timeoutMs))
    return { backend }
  } catch (error) {
    const said = error instanceof Error && error.name === 'GatewayError' ? error.message : ''
    return { backend, error: said || (backend.type === 'ollama' ? 'Ollama unreachable' : 'The model backend is unreachable') }
  }
}

const describe = ({ backend, error }: Report) => [
  backend.name,
  { type: backend.type, status: error === undefined ? 'ok' : 'down', ...(error && { error }) },
]

/** LlamaGate's two fields, when there is an Ollama: the first one configured. */
function describeOllama(reports: readonly Report[], { backends }: Pick<Config, 'backends'>) {
  const ollama = reports.find(({ backend }) => backend.type === 'ollama')
  if (!ollama) return
  const configured = backends[ollama.backend.name]
  const url = configured && 'base_url' in configured ? configured.base_url : undefined
  return {
    ...(ollama.error === undefined && { ollama: 'connected' }),
    ...(url && { ollama_host: new URL(url).origin }), // the origin has no userinfo, path or query
  }
}
