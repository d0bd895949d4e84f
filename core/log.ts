import pino, { type Logger } from 'pino'

export type { Logger } from 'pino'

export interface LogOptions {
  readonly debug: boolean
  /** File descriptor; 1 is stdout. */
  readonly fd?: number
}

/**
 * JSON lines on stdout. Lines are gathered for up to a quarter of a second unless somebody watches: a write
 * per request is the dearest part of logging. No transports: they are worker threads, which die in the binary.
 */
export function createLog({ debug, fd = 1 }: LogOptions): Logger & { flushNow(): void } {
  const watched = process.stdout.isTTY
  // periodicFlush, not flushSync on a timer: that one also syncs the disk
  const destination = pino.destination({ dest: fd, sync: true, minLength: watched ? 0 : 4096, periodicFlush: watched ? 0 : 250 })
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
  const flushNow = () => {
    try {
      destination.flushSync()
    } catch {
      // stdout is gone; there is nobody to tell
    }
  }
  return Object.assign(log, { flushNow })
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
