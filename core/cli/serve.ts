import { homedir } from 'node:os'
import { type LoadedConfig, loadConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { historyLines } from '../data-folder/starts.ts'
import { claimDataFolder } from '../data-folder.ts'
import { createDiscovery } from '../discover.ts'
import { ConfigError } from '../errors.ts'
import { createLog, type LogSettings } from '../log.ts'
import type { PluginSources } from '../plugins.ts'
import { logRoutes } from '../routes/logs.ts'
import { secretsOf } from '../secrets.ts'
import { serve } from '../serve.ts'
import { memoryStore } from '../stores/memory.ts'
import { version } from '../version.ts'
import { watchFiles } from '../watch-files.ts'
import { createAutostarts } from './autostarts.ts'
import { keepEntryKey, logEntry, printBanner } from './banner.ts'
import { type Demo, isOpen, settle } from './settle.ts'
import { onSignals } from './signals.ts'

export interface ServeArguments {
  readonly config?: string | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly demo: Demo
}

/** `gatehouse serve` and `gatehouse demo`: runs until a signal. */
export async function serveCommand(
  { config: file, host, port, demo }: ServeArguments,
  plugins: Pick<PluginSources, 'builtIn' | 'reserved' | 'alwaysOn'>,
): Promise<void> {
  const load = () =>
    loadConfig({
      argv: { ...(file !== undefined && { config: file }), ...(host !== undefined && { host }), ...(port !== undefined && { port }) },
      env: process.env,
      cwd: process.cwd(),
      home: homedir(),
    })
  let loaded = await load()
  const { data_dir: dataDir } = loaded.config
  const log = createLog(logSettings(loaded.config))
  const tell = ({ notes, warnings }: LoadedConfig) => {
    for (const note of notes) log.info(note)
    for (const warning of warnings) log.warn(warning)
  }
  tell(loaded)
  const folder = await claimDataFolder(dataDir)
  for (const warning of folder.warnings) log.warn(warning)
  for (const { level, message } of historyLines(folder.previous)) log[level](message)

  // what a signal ends, as far as the start has come; the last one first
  const opened: (() => unknown)[] = [() => folder.release()]
  onSignals({
    reload() {
      log.reopen().catch(err => log.error({ err }, 'the log file cannot be opened again'))
      apply()
    },
    async stop(signal) {
      log.info({ signal }, 'Shutting down server...')
      folder.stopping()
      for (const close of opened.toReversed()) await close()
      log.info('Server exited gracefully')
      await log.end()
      process.exit(0)
    },
    force() {
      process.stderr.write('gatehouse: second signal, leaving at once\n')
      folder.release()
      log.abandon()
      process.exit(1)
    },
  })
  let apply: () => void = () => {}

  try {
    const discovery = createDiscovery({ log, onChange: () => apply() })
    const searching = () => loaded.zeroConfig && demo !== 'always'
    if (searching()) await discovery.look()
    const settled = await settle(loaded.config, { zeroConfig: loaded.zeroConfig, demo, discovered: discovery.found })
    const serving = await serve({
      config: settled.config,
      configFile: loaded.file,
      log,
      access: log.access,
      store: memoryStore(),
      plugins,
      routes: logRoutes(log),
      runs: folder.report,
    })
    opened.push(() => serving.stop(loaded.config.shutdown_timeout))
    const port = () => serving.listeners[0]?.port as number
    const announce = ({ host, tls }: Config) => folder.announce({ host, port: port(), tls: tls.enabled })
    announce(settled.config)
    log.info({ version, ...startLine(settled.config, loaded.file), port: port() }, 'Starting gatehouse')
    await keepEntryKey(settled, log)
    logEntry(settled.config, log)
    let open = isOpen(settled.config)
    printBanner(settled, port())

    const autostarts = createAutostarts(log, process.env)
    opened.splice(1, 0, () => autostarts.close()) // after the last request, before the folder goes
    autostarts.follow(settled.config)
    if (searching()) discovery.start()
    const watch = watchFiles(filesOf(loaded), { onChange: () => apply() })
    opened.push(watch.close, discovery.close)

    const reload = async () => {
      const next = await load()
      const { config } = next
      const found = { zeroConfig: next.zeroConfig, demo, discovered: discovery.found }
      const running = await settle({ ...config, data_dir: dataDir }, found)
      const changed = await serving.reload(running.config, next.file)
      log.configure(logSettings(config))
      watch.watch(filesOf(next))
      loaded = next
      if (!changed) return
      tell(next)
      if (config.data_dir !== dataDir) log.warn({ data_dir: dataDir }, 'data_dir has changed; that counts from the next start')
      announce(running.config)
      log.info({ ...startLine(running.config, next.file), port: port(), models_from: running.found }, 'Configuration reloaded')
      await keepEntryKey(running, log)
      if (isOpen(running.config) !== open) logEntry(running.config, log)
      open = isOpen(running.config)
      autostarts.follow(running.config)
      if (searching()) discovery.start()
      else discovery.close()
    }
    const complain = (error: unknown) => {
      const lines = error instanceof ConfigError ? error.message.split('\n') : [error instanceof Error ? error.message : String(error)]
      for (const reason of lines) log.error({ reason }, 'the changed configuration cannot be used; the one before stays')
    }
    apply = oneAtATime(() => reload().catch(complain))
  } catch (error) {
    if (error instanceof ConfigError) folder.release() // told with its reason: no crash
    throw error
  }
}

/** What the log says of a config when it begins to count. */
const startLine = ({ host, rate_limit_rps, debug, tls, ollama_host: ollama }: Config, file: string | undefined) => ({
  host,
  ...(ollama && { ollama_host: new URL(ollama).origin }), // the origin has no userinfo, path or query
  rate_limit_rps,
  debug,
  tls_enabled: tls.enabled,
  ...(file && { config: file }),
})

/** Runs `work` when it is called; calls that come meanwhile are answered by one more run after it. */
function oneAtATime(work: () => Promise<void>): () => void {
  let running = false
  let again = false
  const run = async () => {
    if (running) {
      again = true
      return
    }
    running = true
    do {
      again = false
      await work()
    } while (again)
    running = false
  }
  return () => void run()
}

/** What a running gatehouse looks at for changes. */
const filesOf = ({ places, config: { tls } }: LoadedConfig): string[] => [
  ...places,
  ...[tls.enabled ? [tls.cert_file, tls.key_file] : []].flat().filter(path => path !== undefined),
]

/** The log as a config wants it. */
const logSettings = (config: Config): LogSettings => ({ debug: config.debug, ...config.log, secrets: secretsOf(config) })
