import { readArguments, takesNothing } from './arguments.ts'
import { print } from './output.ts'
import { psHelp } from './processes/help.ts'
import { processColumns } from './processes/lines.ts'
import { findRemote, remoteOptions } from './remote.ts'
import { dataOf } from './table/pages.ts'
import { printRows } from './table/print-rows.ts'

/** `gatehouse ps`. */
export async function psCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments('ps', args, remoteOptions)
  if (values.help) return print(psHelp)
  takesNothing('ps', positionals)
  const remote = await findRemote(values)
  const answer = await remote.ask('GET', '/running')
  const empty = 'no model is run here: the config has none with a model_path or a command, and no models_dir'
  return printRows({ ...answer, data: dataOf(answer) }, { json: values.json, columns: processColumns, empty })
}
