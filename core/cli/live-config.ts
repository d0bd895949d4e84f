import { resetAdminKey } from '../admin-key.ts'
import type { LoadedConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import type { DataFolder } from '../data-folder.ts'
import type { Discovery } from '../discover.ts'
import { ConfigError } from '../errors.ts'
import type { HouseLog, LogSettings } from '../log.ts'
import { auditEntries } from '../records/audit-entries.ts'
import type { Author } from '../records/page.ts'
import { secretsOf } from '../secrets.ts'
import type { Serving } from '../serve.ts'
import { version } from '../version.ts'
import type { FileWatch } from '../watch-files.ts'
import type { Autostarts } from './autostarts.ts'
import { keepKeys } from './banner.ts'
import { keyIsSet, placeOfAdminKey } from './configured-key.ts'
import type { Entry } from './entry.ts'
import { type Demo, type Settled, settle } from './settle.ts'

/** What a config is put into effect on. */
export interface Running {
  readonly load: () => Promise<LoadedConfig>
  readonly demo: Demo
  readonly log: HouseLog
  readonly folder: DataFolder
  readonly serving: Serving
  readonly discovery: Discovery
  readonly autostarts: Autostarts
  readonly watch: FileWatch
  readonly entry: Entry
}

/** Puts the config of the files into effect, and again whenever `apply` is called. */
export interface LiveConfig {
  /** What is in effect. */
  readonly loaded: LoadedConfig
  /** Reads the files again. A config that cannot be used changes nothing, and the log says why. Never throws. */
  apply(): Promise<void>
  /** Puts a new admin key into effect and answers it. Throws a GatewayError when the config has one; when it throws, the one before stays. */
  resetAdminKey(author: Author): Promise<string>
}

/** Takes over from a start with `loaded` and `settled`. */
export function liveConfig(running: Running, loaded: LoadedConfig, settled: Settled): LiveConfig {
  const { load, demo, log, folder, serving, discovery, autostarts, watch, entry } = running
  const { data_dir: dataDir, database } = settled.config
  let current = loaded
  let complaint = ''
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work)
    turn = done.catch(() => {})
    return done
  }
  const settleWith = ({ config, zeroConfig }: LoadedConfig) =>
    settle({ ...config, data_dir: dataDir }, { zeroConfig, demo, discovered: discovery.found, localToken: folder.tokenSha256 })

  const reload = async () => {
    const next = await load()
    watch.watch(filesOf(next)) // also when it cannot be used: certificates may come after the config that names them
    const { config } = next
    const settled = await settleWith(next)
    const changed = await serving.reload(settled.config, next.file)
    complaint = ''
    log.configure(logSettings(settled.config))
    current = next
    if (!changed) return
    tell(next, log)
    if (config.data_dir !== dataDir) log.warn({ data_dir: dataDir }, 'data_dir has changed; that counts from the next start')
    if (config.database.path !== database.path) log.warn('database.path has changed; that counts from the next start')
    announce(running, settled.config)
    log.info({ ...startLine(settled.config, next.file, serving), models_from: settled.found }, 'Configuration reloaded')
    await keepKeys(settled, log)
    entry.follow(settled.config)
    autostarts.follow(settled.config)
    if (searches(next, demo)) discovery.start()
    else discovery.close()
  }

  return {
    get loaded() {
      return current
    },
    async apply() {
      try {
        await inTurn(reload)
      } catch (error) {
        const said = error instanceof ConfigError ? error.message : undefined
        if (said !== undefined && said === complaint) return // told already
        complaint = said ?? ''
        const words = 'the changed configuration cannot be used; the one before stays'
        if (said === undefined) log.error({ err: error }, words)
        else for (const reason of said.split('\n')) log.error({ reason }, words)
      }
    },
    resetAdminKey: author =>
      inTurn(async () => {
        const place = placeOfAdminKey(current)
        if (place !== undefined) throw keyIsSet(place)
        const secret = await resetAdminKey(dataDir, async () => {
          await serving.gateway.records.audit.add(auditEntries.adminKeyChanged(author))
          // not from the files, which may be in the middle of an edit
          const { config } = await settleWith(current)
          await serving.reload(config, current.file)
          log.configure(logSettings(config))
        })
        log.warn('the admin key was reset')
        return secret
      }),
  }
}

/** True when gatehouse looks for model servers itself. */
export const searches = ({ zeroConfig }: LoadedConfig, demo: Demo): boolean => zeroConfig && demo !== 'always'

/** What a running gatehouse looks at for changes. */
export const filesOf = ({ places, config: { tls } }: LoadedConfig): string[] => [
  ...places,
  ...(tls.enabled ? [tls.cert_file, tls.key_file] : []).filter(path => path !== undefined),
]

/** What the log needs of a config: its settings, and the secrets to keep out of its lines. */
export const logSettings = (config: Config): LogSettings => ({ debug: config.debug, ...config.log, secrets: secretsOf(config) })

/** What was noticed in the files. */
export function tell({ notes, warnings }: LoadedConfig, log: HouseLog): void {
  for (const note of notes) log.info(note)
  for (const warning of warnings) log.warn(warning)
}

/** What the log says of a config when it begins to count. */
export const startLine = (config: Config, file: string | undefined, serving: Serving) => ({
  version,
  host: config.host,
  ...(config.ollama_host && { ollama_host: new URL(config.ollama_host).origin }), // the origin has no userinfo, path or query
  port: portOf(serving),
  rate_limit_rps: config.rate_limit_rps,
  debug: config.debug,
  tls_enabled: config.tls.enabled,
  ...(file && { config: file }),
})

/** Leaves word where it listens, for commands and for whoever tries to serve from the same folder. */
export const announce = ({ folder, serving }: Pick<Running, 'folder' | 'serving'>, { host, tls }: Config): void =>
  folder.announce({ host, port: portOf(serving), tls: tls.enabled })

/** The port it listens on. */
export const portOf = ({ listeners }: Serving): number => listeners[0]?.port as number
