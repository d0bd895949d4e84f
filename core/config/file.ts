import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { ConfigError } from '../errors.ts'
import { expandHome } from './paths.ts'
import { isMapping, type Tree } from './tree.ts'
import { parseMasked } from './yaml.ts'

/** The config file as it was written, before anything is filled in or checked; see `parseMasked` for its texts. */
export interface ConfigFile {
  readonly path: string
  readonly tree: Tree
}

/** Where to look for the config file. */
export interface FilePlaces {
  /** What `--config` says. */
  readonly given?: string | undefined
  readonly cwd: string
  readonly home: string
}

/** Reads the given file, else `./gatehouse.yaml`, else `~/.gatehouse/gatehouse.yaml`; undefined when there is none. */
export async function readConfigFile({ given, cwd, home }: FilePlaces): Promise<ConfigFile | undefined> {
  if (given !== undefined) {
    const path = resolve(cwd, expandHome(given, home))
    const source = await readRegular(path)
    if (source === undefined) throw new ConfigError(`${path}: there is no such file; --config must name one`)
    return { path, tree: parseYaml(path, source) }
  }
  for (const path of [join(cwd, 'gatehouse.yaml'), join(home, '.gatehouse', 'gatehouse.yaml')]) {
    const source = await readRegular(path)
    if (source !== undefined) return { path, tree: parseYaml(path, source) }
  }
  return undefined
}

/** The text of a file, undefined when there is none. Anything but a readable regular file is a ConfigError. */
export async function readRegular(path: string): Promise<string | undefined> {
  try {
    const info = await stat(path)
    // Docker makes a folder where the file to mount is missing; passing it over would hide that.
    if (!info.isFile()) throw new ConfigError(`${path}: must be a regular file`)
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof ConfigError) throw error
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new ConfigError(`${path}: cannot be read (${code})`, { cause: error })
  }
}

function parseYaml(path: string, source: string): Tree {
  const parsed = tryParse(source)
  if (parsed instanceof Error) {
    const reason = parsed.message.replace(/^YAML Parse error: /, '').replace(/\s+/g, ' ')
    throw new ConfigError(`${path}: is not valid YAML near line ${brokenLine(source)}: ${reason}`)
  }
  if (parsed === null || parsed === undefined) return {}
  if (!isMapping(parsed)) throw new ConfigError(`${path}: must be one YAML mapping of keys and values`)
  return parsed
}

function tryParse(source: string): unknown {
  try {
    return parseMasked(source)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

// Bun's parser does not say where it stopped. The line after the longest beginning that still parses is close.
function brokenLine(source: string): number {
  const lines = source.split('\n')
  for (let end = lines.length - 1; end > 0; end--) {
    if (!(tryParse(lines.slice(0, end).join('\n')) instanceof Error)) return end + 1
  }
  return 1
}
