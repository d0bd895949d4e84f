import { dirname, join, resolve } from 'node:path'
import { ConfigError } from '../errors.ts'
import { checkDraft, pluginSections, problemLines } from './check.ts'
import { judgeVariables, layLegacy, legacyFormat, warnOfLoopback } from './compat/lay-legacy.ts'
import type { FormatName } from './compat/legacy-format.ts'
import { parseDotenv } from './dotenv.ts'
import { addProblems, type Draft, emptyDraft } from './draft.ts'
import { applyPluginVariables, applyVariables, type Variables } from './env.ts'
import { expandVariables, type Problem } from './expand.ts'
import { type ConfigFile, readConfigFile, readRegular } from './file.ts'
import { warnOfLater } from './later.ts'
import { applyOllamaHost, hasBackends } from './ollama-host.ts'
import { settlePaths } from './paths.ts'
import type { Config } from './schema.ts'
import { dropOwnBackends } from './self-address.ts'
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
  /**
   * Which source decided each value: `environment PORT`, a file, `.env PORT`, `command line`, `default`, or
   * `default of ModelGate` where the file is an older gateway's.
   */
  readonly sources: ReadonlyMap<string, string>
  /** The config file, when there is one. */
  readonly file?: string
  /** Whose config the file is. */
  readonly format?: FormatName
  /** Every path whose appearance, change or disappearance can change the result. */
  readonly places: readonly string[]
  /** Lines to print at start, as warnings. */
  readonly warnings: readonly string[]
  /** Lines to print at start, as information. */
  readonly notes: readonly string[]
  /** True when nobody configured a model: no backend in any source, no OLLAMA_HOST, and none that gatehouse runs. */
  readonly zeroConfig: boolean
  /** A line for each problem that is found in the config later on: where it was written, which setting, what to do. */
  lines(problems: readonly Problem[]): readonly string[]
}

/**
 * Puts the settings together: command line over `GATEHOUSE_…` over plain names over `MG_…` over `.env` over
 * the file over defaults. Throws a ConfigError with one line for everything that is wrong.
 */
export async function loadConfig({ argv, env, cwd, home: givenHome }: ConfigInput): Promise<LoadedConfig> {
  const draft = emptyDraft()
  const home = resolve(cwd, givenHome)
  const dotenvPath = join(cwd, '.env')
  const dotenv = await readDotenv(dotenvPath, draft.warnings)
  const { file, places, warnings } = await readConfigFile({ given: argv.config, cwd, home })
  draft.warnings.push(...warnings)
  const lookUp = (name: string) => {
    const value = env[name] || dotenv[name]
    return name === 'HOME' ? resolve(cwd, value || home) : value
  }
  if (file) layFile(draft, file, lookUp)
  const unmatched = [...applyVariables(draft, dotenv, '.env'), ...applyVariables(draft, env, 'environment')]
  applyPluginVariables(draft, unmatched, pluginSections(draft.tree, argv.pipeline))
  const port = applyArguments(draft, argv)
  applyOllamaHost(draft)
  const legacy = legacyFormat(file?.format)
  dropOwnBackends(draft, port)

  const { tree, config } = checkDraft(draft, file)
  if (!config || draft.problems.length > 0) throw new ConfigError(problemLines(draft.problems, draft, file).join('\n'))
  if (file && legacy) warnOfLoopback(draft, file, legacy)
  const sourceOf = (path: Path) => {
    const inFile = file?.format === 'gatehouse' && getPath(tree, path) !== undefined ? file.path : undefined
    return draft.origins.of(path)?.label ?? inFile ?? 'default'
  }
  // The Go programs took relative paths from the working directory.
  const folderOf = (path: Path) => (file && !legacy && sourceOf(path) === file.path ? dirname(file.path) : cwd)
  const settled = settlePaths(config, home, folderOf)
  const sources = listSources(settled, sourceOf)
  return {
    config: port === undefined ? settled : { ...settled, port },
    sources,
    ...(file && { file: file.path, format: file.format }),
    places: [...places, dotenvPath],
    warnings: [...draft.warnings, ...warnOfLater(config, sources)],
    notes: file && legacy ? [`${file.path}: read as a config of ${legacy.title}`] : [],
    lines: problems => problemLines(problems, draft, file),
    zeroConfig: !hasBackends(config) && !config.models_dir && !config.models.some(({ model_path, command }) => model_path ?? command),
  }
}

function layFile(draft: Draft, file: ConfigFile, lookUp: (name: string) => string | undefined): void {
  const legacy = legacyFormat(file.format)
  addProblems(draft, file.problems)
  const found: Problem[] = []
  const tree = expandVariables(file.tree, lookUp, found)
  if (legacy) {
    layLegacy(draft, file, tree, legacy)
    judgeVariables(draft, file, found)
  } else {
    addProblems(draft, found)
    Object.assign(draft.tree, tree)
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
