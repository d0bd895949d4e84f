import pino, { type Logger } from 'pino'

export type { Logger } from 'pino'

export interface LogOptions {
  readonly debug: boolean
  /** File descriptor; 1 is stdout. */
  readonly fd?: number
}

/** The house's log, and its end. */
export type HouseLog = Logger & {
  /** Writes what is left, for as long as that is worth waiting for, and lets go of the file. */
  end(): Promise<void>
  /** Writes the line of one request. The same JSON as `info`, at a third of its price: there is one per request. */
  access(line: AccessLine): void
  /** Lets go of the file at once; what is not written is lost. */
  abandon(): void
}

/** What the log knows of a request. */
export interface AccessLine {
  readonly request_id: string
  readonly method: string
  /** Without the query: people put keys there. */
  readonly path: string
  readonly status: number
  /** Milliseconds. */
  readonly latency: number
  readonly ip: string
  readonly model?: string
  readonly key_id?: string
}

/** The message of every access line. */
export const accessMessage = 'HTTP request'

/** Lines that may wait while nobody reads the log; beyond that they are dropped. Bytes. */
const mostWaiting = 8 * 1024 * 1024
const patienceMs = 500
const longestEndMs = 10_000
/** How often lines that were dropped are told of. */
const tellDroppedMs = 5_000

/**
 * JSON lines on stdout. Written in the background, because no request may wait for whoever reads the log or fail
 * with a full disk; gathered for up to a quarter of a second unless somebody watches, because a write per
 * request is the dearest part of logging. No transports: they are worker threads, which die in the binary.
 */
export function createLog({ debug, fd = 1 }: LogOptions): HouseLog {
  const watched = process.stdout.isTTY
  const destination = pino.destination({
    dest: fd,
    sync: false,
    minLength: watched ? 0 : 4096,
    maxLength: mostWaiting,
    periodicFlush: watched ? 0 : 250,
  })
  destination.on('error', () => {}) // the next write tries again
  const log = pino(
    {
      level: debug ? 'debug' : 'info',
      base: null,
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
      redact: { paths: secretPaths, censor: '<redacted>' },
      serializers: { err: serialiseError },
    },
    destination,
  )
  let dropped = 0
  destination.on('drop', () => {
    dropped++
  })
  setInterval(() => {
    if (dropped === 0) return
    log.warn({ lines: dropped }, 'lines were dropped, because nobody read the log')
    dropped = 0
  }, tellDroppedMs).unref()
  const end = async () => {
    let written = false
    let bytes = 0
    destination.on('write', count => {
      bytes += count
    })
    destination.flush(() => {
      written = true
    })
    // as long as somebody reads, and not for ever
    for (let before = -1, left = longestEndMs; !written && left > 0; left -= patienceMs) {
      if (bytes === before) break
      before = bytes
      for (let waited = 0; !written && waited < patienceMs; waited += 10) await Bun.sleep(10)
    }
    destination.destroy() // at the exit it would try once more, for ever
  }
  const access = (line: AccessLine) => {
    destination.write(`${JSON.stringify({ level: 'info', time: new Date(), ...line, message: accessMessage })}\n`)
  }
  return Object.assign(log, { access, end, abandon: () => destination.destroy() })
}

/** No code of ours logs these; this is the net below it. No wildcards: each would clone every line. */
const secretPaths = ['api_key', 'authorization', 'headers.authorization', 'headers["x-api-key"]']

/** An error without the properties a library may have hung on it (requests, headers, bodies). */
function serialiseError(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: String(error) }
  const { name, message, stack, cause } = error
  const { code } = error as { code?: unknown }
  return {
    type: name,
    message,
    stack,
    ...(typeof code === 'string' && { code }),
    ...(cause !== undefined && { cause: serialiseError(cause) }),
  }
}
