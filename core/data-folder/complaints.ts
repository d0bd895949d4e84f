import { ConfigError } from '../errors.ts'
import { sqliteCode } from '../sqlite.ts'
import { describeHolder, type Holder } from './holder.ts'

const change = 'choose another folder with DATA_DIR'

/** Another gatehouse has the folder. */
export function inUse(folder: string, holder: Holder | undefined, here: string): ConfigError {
  const who = holder ? `another gatehouse: ${describeHolder(holder, here)}` : 'another gatehouse, which has not yet said more'
  return new ConfigError(`data_dir: ${folder} is in use by ${who}. Stop that one, or give this one a folder of its own with DATA_DIR.`)
}

/** The folder, or a file in it, cannot be used. */
export function unusable(folder: string, cause: unknown): ConfigError {
  const { path } = cause as { readonly path?: unknown }
  const where = typeof path === 'string' && path !== folder ? ` (${path})` : ''
  return new ConfigError(`data_dir: ${folder} cannot be used${where}: ${reasonOf(cause)}; ${change}`, { cause })
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left on the device',
  EDQUOT: 'this user’s disk quota is used up',
  ENOTDIR: 'a file is in the way',
  EEXIST: 'a file is in the way',
  EISDIR: 'a folder is in the way of a file',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'its path is too long',
  EMFILE: 'this process has too many files open',
  SQLITE_CANTOPEN: 'run/serve.lock cannot be opened',
  SQLITE_READONLY: 'run/serve.lock may not be written',
  SQLITE_READONLY_DIRECTORY: 'run/serve.lock may not be written',
  SQLITE_NOTADB: 'run/serve.lock is not a lock of gatehouse; remove that file',
  SQLITE_FULL: 'no space is left on the device',
}

function reasonOf(cause: unknown): string {
  const code = sqliteCode(cause) ?? String((cause as { readonly code?: unknown }).code ?? 'unknown error')
  const reason = reasons[code]
  return reason ? `${reason} (${code})` : code
}
