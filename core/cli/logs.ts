import { ConfigError } from '../errors.ts'
import { createSseReader, type SseEvent } from '../http/sse.ts'
import { clean } from '../log/clean.ts'
import { readArguments } from './arguments.ts'
import { isRead, print, printError } from './output.ts'
import { logsHelp } from './processes/help.ts'
import { logColumns } from './processes/lines.ts'
import { readModel } from './processes/read-model.ts'
import { findRemote, type Remote, remoteOptions } from './remote.ts'
import { dataOf } from './table/pages.ts'
import { printRows } from './table/print-rows.ts'
import { json, text } from './table/texts.ts'

/** `gatehouse logs`. */
export async function logsCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments('logs', args, {
    ...remoteOptions,
    tail: { type: 'string', short: 'n' },
    follow: { type: 'boolean', short: 'f' },
  })
  if (values.help) return print(logsHelp)
  const query = values.tail === undefined ? '' : `?tail=${readTail(values.tail)}`
  if (positionals.length === 0) {
    if (values.follow || query !== '') throw new ConfigError('--follow and --tail need a model; gatehouse logs shows which there are')
    return list(await findRemote(values), values.json)
  }
  const path = `/logs/${encodeURIComponent(readModel('logs', positionals))}`
  const remote = await findRemote(values)
  if (values.follow) return follow(await remote.stream(`${path}/stream${query}`), values.json === true)
  const answer = await remote.ask('GET', `${path}${query}`)
  return print(values.json ? json(answer) : text(dataOf(answer).map(({ text }) => printable(text))))
}

async function list(remote: Remote, asJson: boolean | undefined): Promise<void> {
  const answer = await remote.ask('GET', '/logs')
  const empty = 'no model is run here, so there is nothing to read'
  return printRows({ ...answer, data: dataOf(answer) }, { json: asJson, columns: logColumns, empty })
}

/** Until the stream ends, or nobody reads what is printed. */
async function follow(stream: ReadableStream<Uint8Array>, asJson: boolean): Promise<void> {
  const reader = createSseReader()
  try {
    for await (const bytes of stream) {
      const events = reader.feed(bytes)
      for (const missed of events.flatMap(omitted)) await printError(`${missed} lines were left out\n`)
      const lines = events.flatMap(event => lineOf(event, asJson))
      if (lines.length > 0 && !(await isRead(text(lines)))) return
    }
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause
    throw new ConfigError('the connection to gatehouse was lost', { cause })
  }
  await printError('there is no more: gatehouse stops, or does not run this model any more\n')
}

const omitted = ({ event, data }: SseEvent): number[] => (event === 'omitted' && data ? [Number(JSON.parse(data).omitted)] : [])

function lineOf({ event, data }: SseEvent, asJson: boolean): string[] {
  if (data === undefined || event !== undefined) return []
  return [asJson ? data : printable(JSON.parse(data).text)]
}

/** Programs write colours and tabs, and sometimes what a terminal would act on. */
const printable = (line: unknown) => clean(Bun.stripANSI(String(line)).replaceAll('\t', '    '))

function readTail(given: string): string {
  if (/^\d{1,9}$/.test(given)) return given
  throw new ConfigError(`--tail must be a whole number from 0, not "${given}"`)
}
