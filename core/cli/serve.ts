import { homedir } from 'node:os'
import { loadConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { discoverBackends, echoOnly, expectedOllama } from '../discover.ts'
import { findEntryKey, hideSecret, isLoopback, keepHash } from '../entry-key.ts'
import { createLog, type HouseLog } from '../log.ts'
import type { PluginSources } from '../plugins.ts'
import { type Serving, serve } from '../serve.ts'
import { memoryStore } from '../stores/memory.ts'
import { version } from '../version.ts'
import { onSignals } from './signals.ts'

export interface ServeArguments {
  readonly config?: string | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
  /** `always`: only the echo model. `beside`: without a config, the echo model beside what is found. */
  readonly demo: 'never' | 'beside' | 'always'
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
  const entryKey = await findEntryKey(config)
  const closed = entryKey ? { ...config, api_key_sha256: entryKey.sha256 } : config
  const serving = await serve({ config: closed, configFile: loaded.file, log, access: log.access, store: memoryStore(), plugins })

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
  if (entryKey?.secret) await keepEntryKey(config, entryKey.secret, entryKey.sha256, log)
  const open = closed.auth === 'off' || (closed.api_key === undefined && closed.api_key_sha256 === undefined)
  log[open ? 'warn' : 'info'](
    open ? 'API key authentication disabled: anybody who reaches this address may use the models' : 'API key authentication enabled',
  )
  printBanner(serving, { found, open, host: config.host })

  onSignals({
    stop: async signal => {
      log.info({ signal }, 'Shutting down')
      await serving.stop(config.shutdown_timeout)
      log.info('gatehouse exited gracefully')
      await log.end()
      process.exit(0)
    },
    force: () => {
      process.stderr.write('gatehouse: second signal, leaving at once\n')
      log.abandon()
      process.exit(1)
    },
  })
}

/** The backends to serve, and a line about where they come from. */
async function withBackends(config: Config, zeroConfig: boolean, demo: ServeArguments['demo']): Promise<{ config: Config; found: string }> {
  const echo = echoOnly(demoDelayMs)
  if (demo === 'always')
    return { config: { ...config, backends: echo, default_backend: undefined, models: [] }, found: 'the built-in echo model' }
  if (!zeroConfig) return { config, found: Object.keys(config.backends).join(', ') }
  const discovered = await discoverBackends()
  const names = Object.keys(discovered)
  const extra = demo === 'beside' ? echo : {}
  if (names.length > 0) {
    const found = `${names.join(', ')} (found on this machine)${demo === 'beside' ? ', and the built-in echo model' : ''}`
    return { config: { ...config, backends: { ...discovered, ...extra }, default_backend: names[0] }, found }
  }
  if (demo === 'beside')
    return { config: { ...config, backends: echo }, found: 'the built-in echo model (no model server found on this machine)' }
  return { config: { ...config, backends: expectedOllama() }, found: 'none found; waiting for Ollama on port 11434' }
}

/** Now that it listens: the secret to whoever started it, and only then the hash that closes the next start too. */
async function keepEntryKey({ data_dir: dataDir }: Config, secret: string, sha256: string, log: HouseLog): Promise<void> {
  if (process.stderr.isTTY) process.stderr.write(`\n  API key (shown this once): ${secret}\n`)
  else log.warn({ path: await hideSecret(dataDir, secret) }, 'an API key was made; the file with it is deleted when the key is first used')
  await keepHash(dataDir, sha256)
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
