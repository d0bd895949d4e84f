import { readArguments, takesNothing } from './arguments.ts'
import { auditColumns } from './audit/lines.ts'
import { auditHelp } from './help.ts'
import { print, printError } from './output.ts'
import { findRemote, remoteOptions } from './remote.ts'
import { askForRows, readLimit } from './table/pages.ts'
import { printRows } from './table/print-rows.ts'

/** It only ever grows, and the newest is what is asked for. */
const usualLimit = 100

/** `gatehouse audit`. */
export async function auditCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments('audit', args, { ...remoteOptions, limit: { type: 'string' } })
  if (values.help) return print(auditHelp)
  takesNothing('audit', positionals)
  const limit = readLimit(values.limit, usualLimit)
  const remote = await findRemote(values)
  const rows = await askForRows(path => remote.ask('GET', path), '/admin/audit', limit)
  await printRows(rows, { json: values.json, columns: auditColumns, empty: 'nothing was changed yet' })
  if (!values.json && rows.next !== null && values.limit === undefined)
    await printError(`these are the newest ${usualLimit}; --limit none prints all\n`)
}
