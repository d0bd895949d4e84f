import { ConfigError } from '../errors.ts'
import { readArguments, takesNothing } from './arguments.ts'
import { usageHelp } from './help.ts'
import { isId } from './key/find.ts'
import { isDay } from './key/moment.ts'
import { asOneOf, type Reader, readSettings } from './key/values.ts'
import { print, printError } from './output.ts'
import { findRemote, remoteOptions } from './remote.ts'
import { askForRows } from './table/pages.ts'
import { json, text } from './table/texts.ts'
import { tableLines } from './table.ts'
import { usageColumns, withSum } from './usage/lines.ts'

/** `gatehouse usage`. */
export async function usageCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments('usage', args, {
    ...remoteOptions,
    key: { type: 'string' },
    from: { type: 'string' },
    to: { type: 'string' },
    by: { type: 'string' },
  })
  if (values.help) return print(usageHelp)
  takesNothing('usage', positionals)
  const { key: id } = readSettings(values, { key: asId }) as { readonly key?: string }
  const parts = ['key', 'model', 'backend', 'target', 'day', 'user'].filter(part => id === undefined || part !== 'key')
  const usual = id === undefined ? 'key' : 'day'
  const query = readSettings({ by: usual, ...values }, { from: asDay, to: asDay, by: asParts(parts) }) as Readonly<Record<string, string>>
  const remote = await findRemote(values)
  const place = id === undefined ? '/admin/usage' : `/admin/keys/${id}/usage`
  const rows = await askForRows(path => remote.ask('GET', path), place, Number.POSITIVE_INFINITY, query)
  if (values.json) return print(json(rows))
  if (rows.data.length === 0) return printError('nothing was used in that time\n')
  return print(text(tableLines(usageColumns(rows.data), withSum(rows.data))))
}

/** One or several of them, with commas. */
const asParts =
  (parts: readonly string[]): Reader =>
  (text, option) => {
    const readPart = asOneOf(Object.fromEntries(parts.map(part => [part, part])))
    return text
      .split(',')
      .map(part => readPart(part.trim(), option))
      .join(',')
  }

const asDay: Reader = (day, option) => {
  if (isDay(day)) return day
  throw new ConfigError(`--${option} must be a day such as 2026-01-31, not "${day}"`)
}

const asId: Reader = (id, option) => {
  if (isId(id)) return id
  throw new ConfigError(`--${option} must be the id of a key, a whole number, not "${id}"; gatehouse key list shows them`)
}
