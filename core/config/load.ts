import { join } from 'node:path'
import { ConfigError } from '../errors.ts'
import { checkDraft, pluginSections, problemLines } from './check.ts'
import { parseDotenv } from './dotenv.ts'
import { applyPluginVariables, applyVariables, type Draft, type Variables } from './env.ts'
import { expandVariables, type Problem } from './expand.ts'
import { readConfigFile, readRegular } from './file.ts'
import { applyOllamaHost, hasBackends } from './ollama-host.ts'
import { recordOrigins } from './origins.ts'
import { settlePaths } from './paths.ts'
import type { Config } from './schema.ts'
import { listSources } from './sources.ts'
import { getPath, type Path, setPath } from './tree.ts'

/** What the command line says: the file to read, and values by their path in it (`'timeouts.total': '1h'`). */
export interface ConfigArguments {
  readonly config?: string | undefined
  readonly [path: string]: unknown
}

/** Everything `loadConfig` depends on; nothing is read from the process. */
export interface ConfigInput {
  readonly argv: ConfigArguments
  readonly env: Variables
  readonly cwd: string
  readonly home: string
}

/** The settings, and how they came to be. */
export interface LoadedConfig {
  readonly config: Config
  /** Which source decided each value: `environment PORT`, a file, `.env PORT`, `command line` or `default`. */
  readonly sources: ReadonlyMap<string, string>
  /** The config file, when there is one. */
  readonly file?: string
  /** Lines to print at start. */
  readonly warnings: readonly string[]
  /** True when nobody configured a backend: none in any source, and no OLLAMA_HOST. */
  readonly zeroConfig: boolean
}

/**
 * Puts the settings together: command line over `GATEHOUSE_…` over plain names over `.env` over YAML over
 * defaults. Throws a ConfigError with one line for everything that is wrong.
 */
export async function loadConfig({ argv, env, cwd, home }: ConfigInput): Promise<LoadedConfig> {
  const draft: Draft = { tree: {}, origins: recordOrigins(), warnings: [] }
  const problems: Problem[] = []
  const dotenv = await readDotenv(join(cwd, '.env'), draft.warnings)
  const file = await readConfigFile({ given: argv.config, cwd, home })
  const lookUp = (name: string) => env[name] || dotenv[name]
  if (file) Object.assign(draft.tree, expandVariables(file.tree, lookUp, problems))
  const unmatched = [...applyVariables(draft, dotenv, '.env'), ...applyVariables(draft, env, 'environment')]
  applyPluginVariables(draft, unmatched, pluginSections(draft.tree, argv.pipeline))
  const port = applyArguments(draft, argv)
  applyOllamaHost(draft)

  const { tree, config } = checkDraft(draft, file, problems)
  if (!config || problems.length > 0) throw new ConfigError(problemLines(problems, draft, file).join('\n'))
  const sourceOf = (path: Path) =>
    draft.origins.of(path)?.label ?? (getPath(tree, path) === undefined ? 'default' : file?.path) ?? 'default'
  const settled = settlePaths(config, { cwd, home, file: file?.path, isFromFile: key => sourceOf([key]) === file?.path })
  return {
    config: port === undefined ? settled : { ...settled, port },
    sources: listSources(settled, sourceOf),
    ...(file && { file: file.path }),
    warnings: draft.warnings,
    zeroConfig: !hasBackends(config),
  }
}

async function readDotenv(path: string, warnings: string[]): Promise<Variables> {
  const text = await readRegular(path).catch((error: unknown) => {
    // nobody named this file, and other tools keep folders of this name
    if (error instanceof ConfigError) warnings.push(`${error.message}; it is ignored`)
    else throw error
  })
  const { values, brokenLines } = parseDotenv(text ?? '')
  for (const line of brokenLines) warnings.push(`${path}: line ${line} is ignored, because it is not NAME=VALUE`)
  return Object.fromEntries(values)
}

/** Lays the command line over everything. Answers the port when it is 0, which only the command line may say. */
function applyArguments(draft: Draft, { config: _, ...values }: ConfigArguments): number | undefined {
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue
    const path = name.split('.')
    setPath(draft.tree, path, value)
    draft.origins.note(path, 'command line')
  }
  if (values.port !== 0 && values.port !== '0') return undefined
  delete draft.tree.port
  return 0
}
