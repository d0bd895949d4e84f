import { ConfigError } from '../errors.ts'
import { readArguments, takesNothing } from './arguments.ts'
import { longestWaitMs, stateLine } from './load.ts'
import { print } from './output.ts'
import { unloadHelp } from './processes/help.ts'
import { withProgress } from './processes/progress.ts'
import { readModel } from './processes/read-model.ts'
import { findRemote, remoteOptions } from './remote.ts'
import { dataOf } from './table/pages.ts'
import { json, text } from './table/texts.ts'

/** `gatehouse unload`. */
export async function unloadCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments('unload', args, {
    ...remoteOptions,
    all: { type: 'boolean' },
    force: { type: 'boolean' },
  })
  if (values.help) return print(unloadHelp)
  const how = { force: values.force === true }
  if (values.all) {
    if (positionals.length > 0) throw new ConfigError('unload takes a model or --all, not both')
    takesNothing('unload', positionals)
    const answer = await (await findRemote(values, longestWaitMs)).ask('POST', '/admin/unload', how)
    return print(values.json ? json(answer) : text(dataOf(answer).map(stateLine)))
  }
  const model = readModel('unload', positionals, 'a model, or --all')
  const remote = await findRemote(values, longestWaitMs)
  const unloading = remote.ask('POST', `/admin/models/${encodeURIComponent(model)}/unload`, how)
  const row = await (values.json ? unloading : withProgress(remote, model, unloading))
  return print(values.json ? json(row) : `${stateLine(row)}\n`)
}
