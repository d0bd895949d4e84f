import { ConfigError } from '../errors.ts'
import { clean } from '../log/clean.ts'
import { readArguments, takesNothing } from './arguments.ts'
import { asText, readSettings } from './key/values.ts'
import { syncHelp } from './model/help.ts'
import { print } from './output.ts'
import { findRemote, remoteOptions } from './remote.ts'
import { json, type Row, text, words } from './table/texts.ts'

/** Every backend is asked, and each may take its time. */
const longestWaitMs = 120_000

/** `gatehouse sync`. */
export async function syncCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments('sync', args, {
    ...remoteOptions,
    'dry-run': { type: 'boolean' },
    backend: { type: 'string', short: 'b' },
  })
  if (values.help) return print(syncHelp)
  takesNothing('sync', positionals)
  const { backend = null } = readSettings(values, { backend: asText })
  const dryRun = values['dry-run'] === true
  const remote = await findRemote(values, longestWaitMs)
  const answer = await remote.ask('POST', '/admin/models/sync', { dry_run: dryRun, backend })
  await print(values.json ? json(answer) : text(syncLines(answer, dryRun)))
  const failed = rowsOf(answer.errors).map(
    error => `sync: backend ${clean(words(error.backend))} gave no models: ${clean(words(error.error))}`,
  )
  if (failed.length > 0) throw new ConfigError(failed.join('\n'))
}

/** A line for each model that came or went, and the sum. */
function syncLines({ added, removed, unchanged }: Row, dryRun: boolean): string[] {
  const came = namesOf(added)
  const went = namesOf(removed)
  const sum = `${came.length} added, ${went.length} removed, ${words(unchanged)} unchanged`
  return [...came.map(name => `+ ${name}`), ...went.map(name => `- ${name}`), dryRun ? `${sum}, if this were not a dry run` : sum]
}

const namesOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(name => clean(String(name))) : [])
const rowsOf = (value: unknown): readonly Row[] => (Array.isArray(value) ? value : [])
