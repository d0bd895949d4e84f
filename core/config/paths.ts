import { dirname, join, resolve } from 'node:path'
import { isPluginPath } from './pipeline.ts'
import type { Config } from './schema.ts'

/** What relative paths are relative to. */
export interface Folders {
  readonly cwd: string
  readonly home: string
  /** The config file, when there is one. */
  readonly file: string | undefined
  /** True when this top-level setting was written in the file. */
  readonly isFromFile: (key: string) => boolean
}

/** `~` and `~/x` as a path below `home`. */
export const expandHome = (path: string, home: string): string => (/^~(?=$|[\\/])/.test(path) ? join(home, path.slice(1)) : path)

/** Makes every path absolute: those of the file relative to it, the others relative to the working directory. */
export function settlePaths(config: Config, { cwd, home, file, isFromFile }: Folders): Config {
  const settle = (key: string, path: string) => resolve(file !== undefined && isFromFile(key) ? dirname(file) : cwd, expandHome(path, home))
  return {
    ...config,
    data_dir: settle('data_dir', config.data_dir),
    pipeline: config.pipeline.map(entry => (isPluginPath(entry) ? settle('pipeline', entry) : entry)),
  }
}
