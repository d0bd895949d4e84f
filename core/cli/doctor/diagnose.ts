import { type LoadedConfig, loadConfig } from '../../config/load.ts'
import { readDataFolder } from '../../data-folder/read.ts'
import type { Place } from '../../discover.ts'
import { ConfigError } from '../../errors.ts'
import { readClosed } from '../../records/sqlite/read-closed.ts'
import { hideAll, secretsOf } from '../../secrets.ts'
import { placeOfDatabase } from '../database-place.ts'
import type { PluginSet } from '../judge-plugins.ts'
import { checkAddress } from './address.ts'
import { checkBackend } from './backend.ts'
import { isContainer } from './backend-place.ts'
import { checkDataFolder } from './data-folder.ts'
import { checkDiscovery } from './discovery.ts'
import { checkEntry } from './entry.ts'
import type { Check, NamedFinding } from './finding.ts'
import { checkLogFile } from './log-file.ts'
import { checkOpenFiles } from './open-files.ts'
import { checkPlugins } from './plugins.ts'
import { checkProcesses } from './processes.ts'
import { checkProgram } from './program.ts'
import { runChecks } from './run-checks.ts'
import { checkSettings, settingsProblems } from './settings.ts'
import { checkTls } from './tls.ts'

/** Everything a diagnosis depends on. */
export interface Surroundings {
  readonly config?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly home: string
  readonly now: () => number
  readonly plugins: PluginSet
  /** Where model servers are looked for when no backend is configured. */
  readonly places: readonly Place[]
}

/** A backend is asked for at most this long, whatever the config says: somebody waits for the answer. */
const longestProbeMs = 4000
const limitMs = 6000

/** Looks into everything a gatehouse started like this would use, and changes none of it. */
export async function diagnose(surroundings: Surroundings): Promise<readonly NamedFinding[]> {
  const { config: given, env, cwd, home } = surroundings
  let loaded: LoadedConfig
  try {
    loaded = await loadConfig({ argv: { ...(given !== undefined && { config: given }) }, env, cwd, home })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const { message } = error
    const few: readonly Check[] = [program, { name: 'config', look: () => settingsProblems(message) }, openFiles]
    return runChecks(few, limitMs)
  }
  const hide = hideAll(secretsOf(loaded.config))
  const findings = await runChecks(checksFor(loaded, surroundings), limitMs)
  return findings.map(finding => ({
    ...finding,
    message: hide(finding.message),
    ...(finding.fix !== undefined && { fix: hide(finding.fix) }),
  }))
}

const program: Check = { name: 'program', look: checkProgram }
const openFiles: Check = { name: 'open files', look: () => checkOpenFiles() }

function checksFor(loaded: LoadedConfig, { env, cwd, now, plugins, places }: Surroundings): readonly Check[] {
  const { config, zeroConfig } = loaded
  const folder = readDataFolder(config.data_dir)
  const path = env.PATH
  const asking = { config, path, inContainer: isContainer(), timeoutMs: Math.min(config.health_check_timeout, longestProbeMs) }
  const backends: readonly Check[] = zeroConfig
    ? [{ name: 'backends', look: signal => checkDiscovery(places, asking, signal) }]
    : Object.entries(config.backends).map(([name, entry]) => ({
        name: `backend ${name}`,
        look: signal => checkBackend(name, entry, asking, signal),
      }))
  return [
    program,
    { name: 'config', look: () => checkSettings(loaded) },
    { name: 'data folder', look: async () => checkDataFolder(config.data_dir, await folder, now()) },
    { name: 'address', look: async signal => checkAddress(config, (await folder).running, signal) },
    { name: 'entry', look: () => checkEntry(config, readClosed(placeOfDatabase(loaded).path)) },
    { name: 'tls', look: () => checkTls(config.tls, now()) },
    { name: 'log file', look: () => checkLogFile(config.log.file) },
    openFiles,
    { name: 'pipeline', look: () => checkPlugins(loaded, plugins, cwd) },
    { name: 'processes', look: () => checkProcesses(config, { path, cwd }) },
    ...backends,
  ]
}
