import { homedir } from 'node:os'
import { loadConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { discoverBackends, echoOnly, expectedOllama } from '../discover.ts'
import { ensureEntryKey, hideSecret, isLoopback } from '../entry-key.ts'
import { createLog } from '../log.ts'
import type { PluginSources } from '../plugins.ts'
import { type Serving, serve } from '../serve.ts'
import { memoryStore } from '../stores/memory.ts'
import { version } from '../version.ts'
import { onSignals } from './signals.ts'

export interface ServeArguments {
  readonly config?: string | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
  /** `always`: only the echo model. `fallback`: the echo model when no model server is found. */
  readonly demo: 'never' | 'fallback' | 'always'
}

/** Pause before each word of the demo model, so that a person sees a stream stream. */
const demoDelayMs = 40

/** `gatehouse serve` and `gatehouse demo`: runs until a signal. */
export async function serveCommand(
  { config: file, host, port, demo }: ServeArguments,
  plugins: Pick<PluginSources, 'builtIn' | 'reserved'>,
): Promise<void> {
  const loaded = await loadConfig({
    argv: { ...(file !== undefined && { config: file }), ...(host !== undefined && { host }), ...(port !== undefined && { port }) },
    env: process.env,
    cwd: process.cwd(),
    home: homedir(),
  })
  const log = createLog({ debug: loaded.config.debug })
  for (const warning of loaded.warnings) log.warn(warning)
  const { config, found } = await withBackends(loaded.config, loaded.zeroConfig, demo)
  const entryKey = await ensureEntryKey(config)
  const closed = entryKey ? { ...config, api_key_sha256: entryKey.sha256 } : config
  const serving = await serve({ config: closed, configFile: loaded.file, log, store: memoryStore(), plugins })

  log.info(
    {
      version,
      host: config.host,
      port: serving.listeners[0]?.port,
      rate_limit_rps: config.rate_limit_rps,
      debug: config.debug,
      ...(loaded.file && { config: loaded.file }),
    },
    'Starting gatehouse',
  )
  const open = config.auth === 'off' || (config.api_key === undefined && !entryKey)
  log[open ? 'warn' : 'info'](
    open ? 'API key authentication disabled: anybody who reaches this address may use the models' : 'API key authentication enabled',
  )
  if (entryKey?.secret) await showSecret(config, entryKey.secret, log)
  printBanner(serving, { found, open, host: config.host })

  onSignals({
    stop: async signal => {
      log.info({ signal }, 'Shutting down')
      await serving.stop(config.shutdown_timeout)
      log.info('gatehouse exited gracefully')
      log.flushNow()
      process.exit(0)
    },
    force: () => {
      log.warn('second signal: leaving at once')
      log.flushNow()
      process.exit(1)
    },
  })
}

/** The backends to serve, and a line about where they come from. */
async function withBackends(config: Config, zeroConfig: boolean, demo: ServeArguments['demo']): Promise<{ config: Config; found: string }> {
  if (demo === 'always')
    return { config: { ...config, backends: echoOnly(demoDelayMs), default_backend: undefined }, found: 'the built-in echo model' }
  if (!zeroConfig) return { config, found: Object.keys(config.backends).join(', ') }
  const discovered = await discoverBackends()
  const names = Object.keys(discovered)
  if (names.length > 0)
    return { config: { ...config, backends: discovered, default_backend: names[0] }, found: `${names.join(', ')} (found on this machine)` }
  if (demo === 'fallback')
    return {
      config: { ...config, backends: echoOnly(demoDelayMs) },
      found: 'the built-in echo model (no model server found on this machine)',
    }
  return { config: { ...config, backends: expectedOllama() }, found: 'none found; waiting for Ollama on port 11434' }
}

async function showSecret(config: Config, secret: string, log: ReturnType<typeof createLog>): Promise<void> {
  if (process.stderr.isTTY) {
    process.stderr.write(`\n  API key (shown this once): ${secret}\n`)
    return
  }
  const path = await hideSecret(config.data_dir, secret)
  log.warn({ path }, 'an API key was made; the file with it is deleted when the key is first used')
}

function printBanner(serving: Serving, { found, open, host }: { found: string; open: boolean; host: string }): void {
  const port = serving.listeners[0]?.port
  const name = isLoopback(host) ? 'localhost' : host.includes(':') ? `[${host}]` : host
  const entry = open
    ? `open: anybody who reaches ${isLoopback(host) ? 'this machine’s loopback' : 'this address'} needs no key`
    : 'closed: a key is needed'
  process.stderr.write(
    [
      '',
      `  gatehouse ${version}`,
      `  OpenAI API   http://${name}:${port}/v1`,
      `  models from  ${found}`,
      `  entry        ${entry}`,
      '',
      '',
    ].join('\n'),
  )
}
