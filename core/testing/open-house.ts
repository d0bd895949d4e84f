import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { alwaysOn, builtIn, reserved } from '../../plugins/index.ts'
import { openAccounts } from '../accounts.ts'
import { loadConfig } from '../config/load.ts'
import * as gatehouse from '../index.ts'
import { accessMessage } from '../log.ts'
import { provideModule } from '../plugins.ts'
import { runner } from '../processes/testing/alive.ts'
import { type Serving, serve } from '../serve.ts'
import { createStore } from '../stores/create.ts'

provideModule('gatehouse', gatehouse)

/** A whole gateway in this process, on a free port. */
export interface House extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` without a trailing slash. */
  readonly url: string
  readonly serving: Serving
  /** The log, line by line, parsed. */
  readonly lines: readonly Record<string, unknown>[]
  /** The folder that is both its working directory and its data folder's parent. */
  readonly folder: string
  /** Serves by another gatehouse.yaml from now on. Throws as the start would. */
  reload(yaml: Readonly<Record<string, unknown>>): Promise<void>
  stop(): Promise<void>
}

export interface HouseOptions {
  /** gatehouse.yaml as an object. */
  readonly yaml?: Readonly<Record<string, unknown>>
  readonly env?: Readonly<Record<string, string>>
  /** Files to write into the folder before the start. */
  readonly files?: Readonly<Record<string, string>>
}

/** Starts a gateway with a config as a user would write it. Rate limit and cache are out of the way unless asked for. */
export async function openHouse({ yaml = {}, env = {}, files = {} }: HouseOptions = {}): Promise<House> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'))
  for (const [name, content] of Object.entries(files)) await Bun.write(join(folder, name), content)
  const load = async (yaml: Readonly<Record<string, unknown>>) => {
    const settings = { rate_limit_rps: 1_000_000, cache: { enabled: false }, data_dir: join(folder, 'data'), ...yaml }
    await Bun.write(join(folder, 'gatehouse.yaml'), JSON.stringify(settings))
    return loadConfig({ argv: yaml.port === undefined ? { port: 0 } : {}, env, cwd: folder, home: folder })
  }
  const { config, file } = await load(yaml)
  const lines: Record<string, unknown>[] = []
  const log = pino(
    { level: 'debug', base: null, messageKey: 'message', formatters: { level: label => ({ level: label }) } },
    { write: (line: string) => void lines.push(JSON.parse(line)) },
  )
  const accounts = await openAccounts({ path: config.database.path ?? join(folder, 'data', 'gatehouse.db'), redis: config.redis }, log)
  const serving = await serve({
    config,
    accounts,
    configFile: file,
    log,
    access: line => log.info(line, accessMessage),
    openStore: settings => createStore(settings, log),
    plugins: { builtIn, reserved, alwaysOn },
    ...runner,
  })
  const stop = async () => {
    await serving.stop(0)
    rmSync(folder, { recursive: true, force: true })
  }
  const scheme = config.tls.enabled ? 'https' : 'http'
  return {
    get url() {
      return `${scheme}://127.0.0.1:${serving.listeners[0]?.port}`
    },
    serving,
    lines,
    folder,
    async reload(yaml) {
      const { config, file } = await load(yaml)
      await serving.reload(config, file)
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
