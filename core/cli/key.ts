import { ConfigError } from '../errors.ts'
import { readArguments, readTask, refuseOthers, takesNothing } from './arguments.ts'
import { findAdmin } from './key/ask.ts'
import { findKey, readId } from './key/find.ts'
import { keyHelp } from './key/help.ts'
import { keyColumns, keyFields } from './key/lines.ts'
import { asGrace } from './key/moment.ts'
import { keyOptions, keyReaders } from './key/settings.ts'
import { tellSecret } from './key/tell-secret.ts'
import { readSettings } from './key/values.ts'
import { print, printError } from './output.ts'
import { remoteOptions } from './remote.ts'
import { askForRows, readLimit } from './table/pages.ts'
import { json, text } from './table/texts.ts'
import { fieldLines, tableLines } from './table.ts'

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
  const admin = await findAdmin(values)
  const keys = await askForRows(path => admin.ask('GET', path), '/admin/keys', limit, { search: values.search })
  if (values.json) return print(json(keys))
  if (keys.data.length > 0) return print(text(tableLines(keyColumns, keys.data)))
  return printError(values.search === undefined ? 'there are no keys; gatehouse key create makes one\n' : 'no key is like that\n')
}

async function show(values: Values, positionals: readonly string[]): Promise<void> {
  if (positionals.length === 0) readId('key', 'show', positionals)
  const key = await findKey(await findAdmin(values), positionals)
  return print(values.json ? json(key) : text(fieldLines(keyFields(key))))
}

async function create(values: Values, positionals: readonly string[]): Promise<void> {
  takesNothing('key create', positionals, 'key')
  const settings = readSettings(values, keyReaders)
  if (settings.name === undefined) throw new ConfigError('key create needs a name: gatehouse key create -n NAME')
  const admin = await findAdmin(values)
  const made = await admin.ask('POST', '/admin/keys', settings)
  return tellSecret(made, { json: values.json === true, quiet: values.quiet === true, deed: 'was made' })
}

async function update(values: Values, positionals: readonly string[]): Promise<void> {
  const id = readId('key', 'update', positionals)
  const settings = readSettings(values, keyReaders)
  if (Object.keys(settings).length === 0)
    throw new ConfigError('key update needs something to change; gatehouse key --help lists its options')
  const admin = await findAdmin(values)
  const key = await admin.ask('PUT', `/admin/keys/${id}`, settings)
  return print(values.json ? json(key) : text(fieldLines(keyFields(key))))
}

async function rotate(values: Values, positionals: readonly string[]): Promise<void> {
  const id = readId('key', 'rotate', positionals)
  const settings = readSettings(values, { grace: asGrace })
  const admin = await findAdmin(values)
  const key = await admin.ask('POST', `/admin/keys/${id}/rotate`, settings)
  return tellSecret(key, { json: values.json === true, quiet: values.quiet === true, deed: 'has a new secret' })
}

async function remove(values: Values, positionals: readonly string[]): Promise<void> {
  const id = readId('key', 'delete', positionals)
  const admin = await findAdmin(values)
  await admin.ask('DELETE', `/admin/keys/${id}`)
  return print(values.json ? json({ id, deleted: true }) : `key ${id} was deleted\n`)
}
