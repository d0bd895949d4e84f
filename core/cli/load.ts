import { clean } from '../log/clean.ts'
import { readArguments } from './arguments.ts'
import { print } from './output.ts'
import { loadHelp } from './processes/help.ts'
import { withProgress } from './processes/progress.ts'
import { readModel } from './processes/read-model.ts'
import { findRemote, remoteOptions } from './remote.ts'
import { json, type Row, words } from './table/texts.ts'

/** The load has a time limit of its own, and may wait for others before it begins. */
export const longestWaitMs = 24 * 60 * 60_000

/** `gatehouse load`. */
export async function loadCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments('load', args, { ...remoteOptions, 'no-wait': { type: 'boolean' } })
  if (values.help) return print(loadHelp)
  const model = readModel('load', positionals)
  const wait = values['no-wait'] !== true
  const remote = await findRemote(values, longestWaitMs)
  const loading = remote.ask('POST', `/admin/models/${encodeURIComponent(model)}/load`, { wait })
  const row = await (wait && !values.json ? withProgress(remote, model, loading) : loading)
  return print(values.json ? json(row) : `${stateLine(row)}\n`)
}

/** `qwen3-8b is ready (pid 4711, port 8081)`. */
export function stateLine({ model, state, pid, port }: Row): string {
  const place = pid === null || pid === undefined ? '' : ` (pid ${words(pid)}, port ${words(port)})`
  return clean(`${words(model)} is ${words(state)}${place}`)
}
