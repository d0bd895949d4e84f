import { ConfigError } from '../errors.ts'
import { readArguments, readTask, refuseOthers, takesNothing } from './arguments.ts'
import { findKey, readId } from './key/find.ts'
import { keyHelp } from './key/help.ts'
import { keyColumns, keyFields } from './key/lines.ts'
import { asGrace } from './key/moment.ts'
import { keyOptions, keyReaders } from './key/settings.ts'
import { tellSecret } from './key/tell-secret.ts'
import { readSettings } from './key/values.ts'
import { print } from './output.ts'
import { findRemote, remoteOptions } from './remote.ts'
import { askForRows, readLimit } from './table/pages.ts'
import { printRows } from './table/print-rows.ts'
import { json, text } from './table/texts.ts'
import { fieldLines } from './table.ts'

const read = (args: readonly string[]) =>
  readArguments('key', args, {
    ...remoteOptions,
    ...keyOptions,
    grace: { type: 'string' },
    search: { type: 'string' },
    limit: { type: 'string' },
    quiet: { type: 'boolean' },
  })

type Values = ReturnType<typeof read>['values']
type Task = (values: Values, positionals: readonly string[]) => Promise<void>

const tasks = { list, show, create, update, rotate, delete: remove } satisfies Readonly<Record<string, Task>>

const taskNames = Object.keys(tasks) as (keyof typeof tasks)[]

/** Who has a use for an option. */
const tasksOf: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(Object.keys(keyReaders).map(option => [option, ['create', 'update']])),
  grace: ['rotate'],
  search: ['list'],
  limit: ['list'],
  quiet: ['create', 'rotate'],
}

/** `gatehouse key list`, `show`, `create`, `update`, `rotate` and `delete`. */
export async function keyCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = read(args)
  if (values.help) return print(keyHelp)
  const [task, rest] = readTask('key', positionals, taskNames)
  refuseOthers('key', task, values, tasksOf)
  return tasks[task](values, rest)
}

async function list(values: Values, positionals: readonly string[]): Promise<void> {
  takesNothing('key list', positionals, 'key')
  const limit = readLimit(values.limit, Number.POSITIVE_INFINITY)
  const remote = await findRemote(values)
  const rows = await askForRows(path => remote.ask('GET', path), '/admin/keys', limit, { search: values.search })
  const empty = values.search === undefined ? 'there are no keys; gatehouse key create makes one' : 'no key is like that'
  return printRows(rows, { json: values.json, columns: keyColumns, empty })
}

async function show(values: Values, positionals: readonly string[]): Promise<void> {
  if (positionals.length === 0) readId('key', 'show', positionals)
  const key = await findKey(await findRemote(values), positionals)
  return print(values.json ? json(key) : text(fieldLines(keyFields(key))))
}

async function create(values: Values, positionals: readonly string[]): Promise<void> {
  takesNothing('key create', positionals, 'key')
  const settings = readSettings(values, keyReaders)
  if (settings.name === undefined) throw new ConfigError('key create needs a name: gatehouse key create -n NAME')
  const remote = await findRemote(values)
  const made = await remote.ask('POST', '/admin/keys', settings)
  return tellSecret(made, { json: values.json === true, quiet: values.quiet === true, deed: 'was made' })
}

async function update(values: Values, positionals: readonly string[]): Promise<void> {
  const id = readId('key', 'update', positionals)
  const settings = readSettings(values, keyReaders)
  if (Object.keys(settings).length === 0)
    throw new ConfigError('key update needs something to change; gatehouse key --help lists its options')
  const remote = await findRemote(values)
  const key = await remote.ask('PUT', `/admin/keys/${id}`, settings)
  return print(values.json ? json(key) : text(fieldLines(keyFields(key))))
}

async function rotate(values: Values, positionals: readonly string[]): Promise<void> {
  const id = readId('key', 'rotate', positionals)
  const settings = readSettings(values, { grace: asGrace })
  const remote = await findRemote(values)
  const key = await remote.ask('POST', `/admin/keys/${id}/rotate`, settings)
  return tellSecret(key, { json: values.json === true, quiet: values.quiet === true, deed: 'has a new secret' })
}

async function remove(values: Values, positionals: readonly string[]): Promise<void> {
  const id = readId('key', 'delete', positionals)
  const remote = await findRemote(values)
  await remote.ask('DELETE', `/admin/keys/${id}`)
  return print(values.json ? json({ id, deleted: true }) : `key ${id} was deleted\n`)
}
