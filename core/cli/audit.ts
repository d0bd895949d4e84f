import { readArguments, takesNothing } from './arguments.ts'
import { auditColumns } from './audit/lines.ts'
import { auditHelp } from './help.ts'
import { findAdmin } from './key/ask.ts'
import { print, printError } from './output.ts'
import { remoteOptions } from './remote.ts'
import { askForRows, readLimit } from './table/pages.ts'
import { json, text } from './table/texts.ts'
import { tableLines } from './table.ts'

/** It only ever grows, and the newest is what is asked for. */
const usualLimit = 100

/** `gatehouse audit`. */
export async function auditCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments('audit', args, { ...remoteOptions, limit: { type: 'string' } })
  if (values.help) return print(auditHelp)
  takesNothing('audit', positionals)
  const limit = readLimit(values.limit, usualLimit)
  const admin = await findAdmin(values)
  const rows = await askForRows(path => admin.ask('GET', path), '/admin/audit', limit)
  if (values.json) return print(json(rows))
  if (rows.data.length === 0) return printError('nothing was changed yet\n')
  await print(text(tableLines(auditColumns, rows.data)))
  if (rows.next !== null && values.limit === undefined) await printError(`these are the newest ${usualLimit}; --limit none prints all\n`)
}
