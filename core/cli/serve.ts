import { homedir } from 'node:os'
import { openAccounts } from '../accounts.ts'
import { loadConfig } from '../config/load.ts'
import { historyLines } from '../data-folder/starts.ts'
import { claimDataFolder } from '../data-folder.ts'
import { createDiscovery } from '../discover.ts'
import { ConfigError } from '../errors.ts'
import { createLog } from '../log.ts'
import type { PluginSources } from '../plugins.ts'
import { logRoutes } from '../routes/logs.ts'
import { serve } from '../serve.ts'
import { createStore } from '../stores/create.ts'
import { watchFiles } from '../watch-files.ts'
import { adminRoutes } from './admin-routes.ts'
import { createAutostarts } from './autostarts.ts'
import { keepKeys, printBanner } from './banner.ts'
import { placeOfDatabase } from './database-place.ts'
import { openEntry } from './entry.ts'
import { refuseWrongPlugins } from './judge-plugins.ts'
import { announce, filesOf, type LiveConfig, liveConfig, logSettings, portOf, searches, startLine, tell } from './live-config.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { type Demo, settle } from './settle.ts'
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
  const load = async () => {
    const loaded = await loadConfig({
      argv: { ...(file !== undefined && { config: file }), ...(host !== undefined && { host }), ...(port !== undefined && { port }) },
      env: process.env,
      cwd: process.cwd(),
      home: homedir(),
    })
    await refuseWrongPlugins(loaded, plugins, process.cwd())
    return loaded
  }
  const loaded = await load()
  const log = createLog(logSettings(loaded.config))
  tell(loaded, log)
  const folder = await claimDataFolder(loaded.config.data_dir)
  for (const warning of folder.warnings) log.warn(warning)
  for (const { level, message } of historyLines(folder.previous)) log[level](message)

  // what a stop closes, as far as the start has come; undefined where nothing is open yet
  let stopping = false
  let apply = () => {}
  const started = Promise.withResolvers<LiveConfig>()
  const open: { live?: { close(): void }; serving?: { close(): Promise<void> }; autostarts?: { close(): Promise<void> } } = {}
  onSignals({
    reload() {
      log.reopen().catch(err => log.error({ err }, 'the log file cannot be opened again'))
      apply()
    },
    async stop(signal) {
      stopping = true
      apply = () => {}
      log.info({ signal }, 'Shutting down server...')
      folder.stopping()
      for (const part of [open.live, open.serving, open.autostarts]) {
        await (async () => part?.close())().catch(err => log.error({ err }, 'a part of gatehouse failed to close'))
      }
      log.info('Server exited gracefully')
      folder.release()
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

  try {
    const discovery = createDiscovery({ log, onChange: () => apply() })
    if (searches(loaded, demo)) await discovery.look()
    const settled = await settle(loaded.config, {
      zeroConfig: loaded.zeroConfig,
      demo,
      discovered: discovery.found,
      localToken: folder.tokenSha256,
    })
    log.configure(logSettings(settled.config)) // its hashes are for no log, either
    const database = placeOfDatabase(loaded)
    if (database.warning !== undefined) log.warn(database.warning)
    const accounts = await openAccounts({ path: database.path, redis: settled.config.redis, clear: log.clear }, log)
    const entry = await openEntry(accounts.records.settings, log)
    const serving = await serve({
      accounts,
      config: settled.config,
      configFile: loaded.file,
      log,
      access: log.access,
      openStore: settings => createStore(settings, log),
      plugins,
      routes: [...logRoutes(log), ...adminRoutes(async author => (await started.promise).resetAdminKey(author), log)],
      runs: folder.report,
    })
    const watch = watchFiles(filesOf(loaded), { onChange: () => apply() })
    const autostarts = createAutostarts(log, process.env)
    const live = liveConfig({ load, demo, log, folder, serving, discovery, autostarts, watch, entry }, loaded, settled)
    open.serving = { close: () => serving.stop(live.loaded.config.shutdown_timeout) }
    open.autostarts = autostarts
    open.live = {
      close() {
        watch.close()
        discovery.close()
        entry.close()
      },
    }
    if (stopping) return // the signal came before there was anything to close

    announce({ folder, serving }, settled.config)
    log.info(startLine(settled.config, loaded.file, serving), 'Starting gatehouse')
    entry.follow(settled.config)
    await keepKeys(settled, log)
    printBanner(settled, portOf(serving), entry.open)
    await watch.ready
    if (stopping) return
    autostarts.follow(settled.config)
    if (searches(loaded, demo)) discovery.start()
    apply = oneAtATime(live.apply)
    started.resolve(live)
    apply() // for what was edited since the files were read
  } catch (error) {
    if (error instanceof ConfigError) folder.release() // told with its reason: no crash
    throw error
  }
}
