import { ConfigError } from '../errors.ts'
import { readArguments, readTask, refuseOthers, takesNothing } from './arguments.ts'
import { readId } from './key/find.ts'
import { asText, asTextOrNone, asTruth, type Reader, readSettings } from './key/values.ts'
import { modelHelp } from './model/help.ts'
import { isShadowed, modelColumns, modelFields } from './model/lines.ts'
import { print, printError } from './output.ts'
import { findRemote, remoteOptions } from './remote.ts'
import { askForRows, readLimit } from './table/pages.ts'
import { printRows } from './table/print-rows.ts'
import { json, type Row, text, words } from './table/texts.ts'
import { fieldLines } from './table.ts'

const readers: Readonly<Record<string, Reader>> = {
  name: asText,
  backend: asText,
  'base-url': asTextOrNone,
  'upstream-model': asTextOrNone,
  enabled: asTruth,
}

const read = (args: readonly string[]) =>
  readArguments('model', args, {
    ...remoteOptions,
    name: { type: 'string', short: 'n' },
    backend: { type: 'string', short: 'b' },
    'base-url': { type: 'string', short: 'u' },
    'upstream-model': { type: 'string' },
    enabled: { type: 'string', short: 'e' },
    search: { type: 'string' },
    limit: { type: 'string' },
  })

type Values = ReturnType<typeof read>['values']
type Task = (values: Values, positionals: readonly string[]) => Promise<void>

const tasks = { list, create, update, delete: remove } satisfies Readonly<Record<string, Task>>

const taskNames = Object.keys(tasks) as (keyof typeof tasks)[]

/** Who has a use for an option. */
const tasksOf: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(Object.keys(readers).map(option => [option, ['create', 'update']])),
  search: ['list'],
  limit: ['list'],
}

/** `gatehouse model list`, `create`, `update` and `delete`. */
export async function modelCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = read(args)
  if (values.help) return print(modelHelp)
  const [task, rest] = readTask('model', positionals, taskNames)
  refuseOthers('model', task, values, tasksOf)
  return tasks[task](values, rest)
}

async function list(values: Values, positionals: readonly string[]): Promise<void> {
  takesNothing('model list', positionals, 'model')
  const limit = readLimit(values.limit, Number.POSITIVE_INFINITY)
  const remote = await findRemote(values)
  const rows = await askForRows(path => remote.ask('GET', path), '/admin/models', limit, { search: values.search })
  const empty = values.search === undefined ? 'there are no models; gatehouse sync looks for some' : 'no model is like that'
  return printRows(rows, { json: values.json, columns: modelColumns, empty })
}

async function create(values: Values, positionals: readonly string[]): Promise<void> {
  takesNothing('model create', positionals, 'model')
  const settings = readSettings(values, readers)
  if (settings.name === undefined) throw new ConfigError('model create needs a name: gatehouse model create -n NAME -b BACKEND')
  if (settings.backend === undefined) throw new ConfigError('model create needs a backend: gatehouse model create -n NAME -b BACKEND')
  const remote = await findRemote(values)
  return tell(await remote.ask('POST', '/admin/models', settings), values)
}

async function update(values: Values, positionals: readonly string[]): Promise<void> {
  const id = readId('model', 'update', positionals)
  const settings = readSettings(values, readers)
  if (Object.keys(settings).length === 0) {
    throw new ConfigError('model update needs something to change; gatehouse model --help lists its options')
  }
  const remote = await findRemote(values)
  return tell(await remote.ask('PUT', `/admin/models/${id}`, settings), values)
}

async function remove(values: Values, positionals: readonly string[]): Promise<void> {
  const id = readId('model', 'delete', positionals)
  const remote = await findRemote(values)
  await remote.ask('DELETE', `/admin/models/${id}`)
  return print(values.json ? json({ id, deleted: true }) : `model ${id} was deleted\n`)
}

async function tell(model: Row, { json: asJson }: Values): Promise<void> {
  if (isShadowed(model)) await printError(`the config file has a model "${words(model.name)}", too; that one counts\n`)
  return print(asJson ? json(model) : text(fieldLines(modelFields(model))))
}
