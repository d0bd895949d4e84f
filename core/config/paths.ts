import { join, resolve } from 'node:path'
import { isPluginPath } from './pipeline.ts'
import type { Config } from './schema.ts'
import type { Path } from './tree.ts'

/** `~` and `~/x` as a path below `home`. */
export const expandHome = (path: string, home: string): string => (/^~(?=$|[\\/])/.test(path) ? join(home, path.slice(1)) : path)

/** Makes every path absolute. `folderOf` says what a relative one is relative to, by the setting it stands in. */
export function settlePaths(config: Config, home: string, folderOf: (path: Path) => string): Config {
  const settle = (path: string, ...at: Path) => resolve(folderOf(at), expandHome(path, home))
  const { tls, log, memory, database, llama_server_path: server, models_dir: modelsDir } = config
  return {
    ...config,
    data_dir: settle(config.data_dir, 'data_dir'),
    pipeline: config.pipeline.map((entry, index) => (isPluginPath(entry) ? settle(entry, 'pipeline', index) : entry)),
    tls: {
      ...tls,
      ...(tls.cert_file && { cert_file: settle(tls.cert_file, 'tls', 'cert_file') }),
      ...(tls.key_file && { key_file: settle(tls.key_file, 'tls', 'key_file') }),
    },
    log: { ...log, ...(log.file && { file: settle(log.file, 'log', 'file') }) },
    memory: { ...memory, ...(memory.dir && { dir: settle(memory.dir, 'memory', 'dir') }) },
    database: { ...database, ...(database.path && { path: settle(database.path, 'database', 'path') }) },
    // a bare name is looked up in PATH
    ...(server && { llama_server_path: /[\\/]/.test(server) ? settle(server, 'llama_server_path') : server }),
    ...(modelsDir && { models_dir: settle(modelsDir, 'models_dir') }),
    models: config.models.map((model, index) => ({
      ...model,
      ...(model.model_path !== undefined && { model_path: settle(model.model_path, 'models', index, 'model_path') }),
      ...(model.cwd !== undefined && { cwd: settle(model.cwd, 'models', index, 'cwd') }),
    })),
  }
}
