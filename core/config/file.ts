import { existsSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { ConfigError } from '../errors.ts'
import type { FormatName } from './compat/legacy-format.ts'
import { recognise } from './compat/recognise.ts'
import type { Problem } from './expand.ts'
import { expandHome } from './paths.ts'
import { defaultPlaces, type Place } from './places.ts'
import type { Tree } from './tree.ts'
import { parseFile } from './yaml.ts'

/** The config file as it was written, before anything is filled in or checked; see `parseMasked` for its texts. */
export interface ConfigFile {
  readonly path: string
  readonly tree: Tree
  /** Whose config it is. */
  readonly format: FormatName
  /** What is wrong with how it is written, although it can be read. */
  readonly problems: readonly Problem[]
}

/** What there was to read. */
export interface FoundFile {
  readonly file: ConfigFile | undefined
  /** Every path that was or would be looked at. */
  readonly places: readonly string[]
  readonly warnings: readonly string[]
}

/** Where to look for the config file. */
export interface FilePlaces {
  /** What `--config` says. */
  readonly given?: string | undefined
  readonly cwd: string
  readonly home: string
}

/** Reads the given file, else the first that is there of the usual places. */
export async function readConfigFile({ given, cwd, home }: FilePlaces): Promise<FoundFile> {
  const warnings: string[] = []
  const places = given === undefined ? defaultPlaces(cwd, home) : [{ path: resolve(cwd, expandHome(given, home)) }]
  const found = { places: places.map(({ path }) => path), warnings }
  for (const place of places) {
    const file = await readPlace(place, warnings)
    if (!file) continue
    warnings.push(...(given === undefined ? passedOver(file.path) : []))
    return { ...found, file }
  }
  if (given !== undefined) throw new ConfigError(`${places[0]?.path}: there is no such file; --config must name one`)
  return { ...found, file: undefined }
}

/** A file of ours that nobody will read, because it lies beside the one that is read. */
function passedOver(path: string): string[] {
  if (basename(path) !== 'gatehouse.yaml') return []
  const other = path.replace(/yaml$/, 'yml')
  return existsSync(other) ? [`${other}: is not read, because gatehouse.yaml lies beside it; keep one of them`] : []
}

async function readPlace({ path, claim }: Place, warnings: string[]): Promise<ConfigFile | undefined> {
  try {
    const source = await readRegular(path)
    if (source === undefined) return undefined
    const { tree, repaired, problems } = parseFile(path, source)
    const format = claim ? claim(path, tree) : recognise(path, tree)
    if (format === undefined) return undefined
    if (repaired) warnings.push(`${path}: read as if every value that begins with @ were in quotes, which YAML asks for`)
    return { path, tree, format, problems }
  } catch (error) {
    // nobody named this file, and it is perhaps not meant for us
    if (!claim || !(error instanceof ConfigError)) throw error
    warnings.push(`${error.message}; it is passed over`)
    return undefined
  }
}

/** More than any config needs, and far less than a program that was named by mistake. */
const largest = 4 * 1024 * 1024

/** The text of a file, undefined when there is none. Anything but a readable regular file of text is a ConfigError. */
export async function readRegular(path: string): Promise<string | undefined> {
  try {
    const info = await stat(path)
    // Docker makes a folder where the file to mount is missing; passing it over would hide that.
    if (!info.isFile()) throw new ConfigError(`${path}: must be a regular file`)
    if (info.size > largest) throw new ConfigError(`${path}: is too large for a config file`)
    const source = await readFile(path, 'utf8')
    if (source.includes('\0')) throw new ConfigError(`${path}: must be text in UTF-8`)
    return source
  } catch (error) {
    if (error instanceof ConfigError) throw error
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new ConfigError(`${path}: cannot be read (${code})`, { cause: error })
  }
}
