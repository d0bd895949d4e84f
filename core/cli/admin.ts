import { resetAdminKey } from '../admin-key.ts'
import { whileUnused } from '../data-folder/unused.ts'
import { ConfigError } from '../errors.ts'
import { noteReset } from './admin/note-reset.ts'
import { readArguments, readTask, takesNothing } from './arguments.ts'
import { placeOfAdminKey } from './configured-key.ts'
import { adminHelp } from './help.ts'
import { print } from './output.ts'
import { loadForCommand, namedRemote, ownRemote, type Remote, type RemoteArguments, remoteOptions } from './remote.ts'

/** `gatehouse admin reset`. */
export async function adminCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments('admin', args, remoteOptions)
  if (values.help) return print(adminHelp)
  const [, rest] = readTask('admin', positionals, ['reset'])
  takesNothing('admin reset', rest, 'admin')
  const key = await newKey(values)
  if (values.json) return print(`${JSON.stringify({ key })}\n`)
  return print(process.stdout.isTTY ? `The new admin key (shown this once): ${key}\n` : `${key}\n`)
}

/** Made by the gatehouse that is meant; where none serves from the data folder, made here for its next start. */
async function newKey(given: RemoteArguments): Promise<string> {
  const named = namedRemote(given, process.env)
  if (named) return askFor(named)
  const loaded = await loadForCommand(given)
  const place = placeOfAdminKey(loaded)
  if (place !== undefined) throw new ConfigError(`the admin key is set by ${place}; change it there`)
  const { data_dir: dataDir } = loaded.config
  const made = await whileUnused(dataDir, async () => {
    const key = await resetAdminKey(dataDir)
    await noteReset(loaded)
    return key
  })
  return made === 'in use' ? askFor(await ownRemote(dataDir, given, process.env)) : made
}

async function askFor(remote: Remote): Promise<string> {
  const { key } = await remote.ask('POST', '/admin/key/reset')
  if (typeof key !== 'string') throw new ConfigError('the answer holds no key; is that gatehouse of another release?')
  return key
}
