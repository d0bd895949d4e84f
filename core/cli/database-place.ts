import { join } from 'node:path'
import type { LoadedConfig } from '../config/load.ts'
import { ConfigError } from '../errors.ts'
import { refuseForeign } from '../records/sqlite/open-file.ts'

/** The file of the database, and what to say about it. */
export interface DatabasePlace {
  readonly path: string
  readonly warning?: string
}

/**
 * Where the database is. A config of an older gateway may name that gateway's own database, which is never touched: then
 * it is the one of the data folder, so that the config starts unchanged.
 */
export function placeOfDatabase({ config, format }: Pick<LoadedConfig, 'config' | 'format'>): DatabasePlace {
  const own = join(config.data_dir, 'gatehouse.db')
  const { path } = config.database
  if (path === undefined) return { path: own }
  if (format === undefined || format === 'gatehouse') return { path }
  try {
    refuseForeign(path)
    return { path }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { path: own, warning: `database.path: ${path} belongs to another program and is left alone; gatehouse keeps its own in ${own}` }
  }
}
