import { isatty } from 'node:tty'
import pino, { type LogFn, type Logger } from 'pino'
import { accessText } from './log/access-text.ts'
import { clean } from './log/clean.ts'
import { createClock } from './log/clock.ts'
import { createFlatLine } from './log/flat-line.ts'
import { type AccessLine, accessMessage, type HouseLog, type LogSettings } from './log/house-log.ts'
import { createKeptFile } from './log/kept-file.ts'
import { readable } from './log/readable.ts'
import { serialiseError } from './log/serialise-error.ts'
import { createSink, gatherMs } from './log/sink.ts'
import { createScreen } from './secrets.ts'

export type { Logger } from 'pino'
export { type AccessLine, accessMessage, type HouseLog, type LogSettings } from './log/house-log.ts'

/** How a log begins. */
export interface LogOptions extends LogSettings {
  /** File descriptor; 1 is stdout. */
  readonly fd?: number
  readonly colours?: boolean
  /** How often lines that were dropped are told of. */
  readonly tellMs?: number
}

/**
 * JSON lines on stdout, or lines for people. Written in the background, because no request may wait for whoever
 * reads the log or fail with a full disk; gathered for up to a quarter of a second unless somebody watches,
 * because a write per request is the dearest part of logging. No transports: they are worker threads, which die
 * in the binary.
 */
export function createLog({ fd = 1, colours, tellMs = 5000, ...first }: LogOptions): HouseLog {
  const watched = isatty(fd)
  const coloured = colours ?? (watched && !process.env.NO_COLOR && process.env.TERM !== 'dumb')
  const out = createSink({ fd, close() {} }, watched ? 0 : gatherMs)
  const kept = createKeptFile((facts, message) => log.warn(facts, message))
  const clock = createClock()
  let asText = false
  let screen = createScreen([])
  let flatLine = createFlatLine(screen)

  const emit = (line: string) => {
    out.write(asText ? readable(line, accessMessage, coloured) : line)
    kept.write(line)
  }
  /** What `log` itself writes most, goes round pino; children have more to say than their arguments. */
  function logMethod(this: Logger, args: Parameters<LogFn>, method: LogFn, level: number): void {
    const [facts, message] = args as readonly unknown[]
    const label = pino.levels.labels[level] as string
    const flat = this === log && args.length === 2 ? flatLine(label, clock(), facts, message) : undefined
    if (flat === undefined) withoutErrorMessage.call(this, args, method)
    else emit(flat)
  }
  const log: Logger = pino(
    {
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${clock()}"`,
      formatters: { level: label => ({ level: label }) },
      redact: { paths: secretPaths, censor: '<redacted>' },
      serializers: { err: error => serialiseError(error), error: value => (value instanceof Error ? serialiseError(value) : value) },
      hooks: { logMethod },
    },
    { write: (json: string) => emit(screen.clear(`${clean(json.trimEnd())}\n`)) },
  )
  const apply = ({ debug, format = 'auto', secrets = [] }: LogSettings) => {
    log.level = debug ? 'debug' : 'info'
    asText = format === 'text' || (format === 'auto' && watched)
    screen = createScreen(secrets)
    flatLine = createFlatLine(screen)
  }
  const tell = () => {
    for (const [to, sink] of [
      ['stdout', out],
      ['file', kept.sink()],
    ] as const) {
      const { dropped, failure } = sink?.takeTrouble() ?? { dropped: 0, failure: undefined }
      if (failure !== undefined) log.warn({ to, code: failure }, 'the log cannot be written')
      if (dropped > 0) log.warn({ to, lines: dropped }, 'lines were dropped, because nobody took them in time')
    }
  }
  const telling = setInterval(tell, tellMs).unref()
  const writeNow = () => {
    out.writeNow()
    kept.sink()?.writeNow()
  }
  process.once('exit', writeNow)
  const over = () => {
    clearInterval(telling)
    process.removeListener('exit', writeNow)
  }

  apply(first)
  kept.use(first.file)
  return Object.assign(log, {
    access: (line: AccessLine) => emit(accessText(line, clock(), screen)),
    configure(settings: LogSettings) {
      apply(settings)
      return kept.use(settings.file)
    },
    clear: (text: string) => screen.clear(text),
    reopen: kept.reopen,
    async end() {
      over()
      await Promise.all([out.end(), kept.end()])
    },
    abandon() {
      over()
      out.close()
      kept.sink()?.close()
    },
  })
}

/** No code of ours logs these; this is the net below it. No wildcards: each would clone every line. */
const secretPaths = ['api_key', 'authorization', 'headers.authorization', 'headers["x-api-key"]']

/** An error logged without words of its own would lend the line its message, which may quote anything. */
function withoutErrorMessage(this: Logger, args: Parameters<LogFn>, method: LogFn): void {
  const [first, words] = args as readonly unknown[]
  const error = first instanceof Error ? first : (first as { readonly err?: unknown } | undefined)?.err
  const named = error instanceof Error && words === undefined
  const given = named ? [first instanceof Error ? { err: first } : first, 'an error was logged'] : args
  method.apply(this, given as Parameters<LogFn>)
}
