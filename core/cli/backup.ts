import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { ConfigError } from '../errors.ts'
import { backupFile } from '../records/sqlite/backup.ts'
import { refuseForeign, settlePath } from '../records/sqlite/open-file.ts'
import { readArguments } from './arguments.ts'
import { placeOfDatabase } from './database-place.ts'
import { backupHelp } from './help.ts'
import { print, printError } from './output.ts'
import { loadForCommand, remoteOptions } from './remote.ts'
import { count, json } from './table/texts.ts'

/** `gatehouse backup FILE`, whether gatehouse runs or not. */
export async function backupCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments('backup', args, remoteOptions)
  if (values.help) return print(backupHelp)
  for (const option of ['server', 'api-key'] as const) {
    if (values[option] !== undefined) throw new ConfigError(`backup copies the database of this machine, so --${option} is not for it`)
  }
  const file = fileOf(positionals)
  const database = await findDatabase(values)
  await backupFile(database, file, untilInterrupted())
  const { size: bytes } = statSync(file)
  if (values.json) return print(json({ file, bytes, database }))
  return print(`${file} has all of ${database} (${count(bytes)} bytes)\n`)
}

function fileOf([file, second]: readonly string[]): string {
  if (file === undefined || file.trim() === '') throw new ConfigError('backup needs the name of a new file: gatehouse backup FILE')
  if (second !== undefined) throw new ConfigError(`backup writes one file, so "${second}" is too much`)
  return resolve(file)
}

/** Looked at before anything is written: it may be that of another program, or not be there yet. */
async function findDatabase(given: { readonly config?: string | undefined }): Promise<string> {
  const { path, warning } = placeOfDatabase(await loadForCommand(given))
  if (warning !== undefined) await printError(`gatehouse: warning: ${warning}\n`)
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined || (found.isFile() && found.size === 0)) {
    throw new ConfigError(`backup: there is nothing in ${path} yet; the first start of gatehouse makes it`)
  }
  refuseForeign(path)
  return settlePath(path)
}

/** So that what is begun is taken away again. A second signal ends the process as ever. */
function untilInterrupted(): AbortSignal {
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => interrupted.abort(new ConfigError('backup: given up; no file was made')))
  }
  return interrupted.signal
}
