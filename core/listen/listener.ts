import { ConfigError, errorResponse } from '../errors.ts'
import { idleTimeout, type Kernel } from '../kernel.ts'

/** One address gatehouse listens on. */
export interface Listener {
  readonly hostname: string
  readonly port: number
  /** Takes no new connections; resolves when the open ones have sent all they had. */
  stop(): Promise<void>
  /** Ends every connection. */
  close(): void
}

/** Where to listen. Port 0 takes any free one. */
export interface Address {
  readonly hostname: string
  readonly port: number
}

/** Answers requests of plain HTTP connections. `kernel` is asked for each request, so that a reload reaches open connections too. */
export function openListener({ hostname, port }: Address, kernel: () => Kernel): Listener {
  const server = orConfigError({ hostname, port }, () =>
    Bun.serve({ ...serveOptions, hostname, port, fetch: (request, server) => kernel().fetch(request, server) }),
  )
  return {
    hostname,
    port: server.port as number,
    stop: () => server.stop(false),
    close: () => void server.stop(true),
  }
}

/** What every server of the house shares. */
export const serveOptions = {
  idleTimeout,
  reusePort: false, // two gatehouses must not share a port in silence
  maxRequestBodySize: Number.MAX_SAFE_INTEGER,
  development: false, // its error page shows the working directory
  error: (error: unknown) => errorResponse(error, crypto.randomUUID()),
} as const

/** Opens something on an address; what goes wrong is said in words an operator can act on. */
export function orConfigError<T>({ hostname, port }: Address, open: () => T): T {
  try {
    return open()
  } catch (cause) {
    const { code } = cause as { code?: string }
    if (code === 'EADDRINUSE') {
      throw new ConfigError(
        `port ${port} on ${hostname} is taken: another gatehouse or another program listens there. Choose another one with --port.`,
        { cause },
      )
    }
    if (code === 'EACCES')
      throw new ConfigError(`port ${port} on ${hostname} needs more rights than this user has. Choose one above 1023 with --port.`, {
        cause,
      })
    throw new ConfigError(`cannot listen on ${hostname} port ${port}: ${(cause as Error).message}`, { cause })
  }
}

/** True for the error of a port that somebody else has. */
export const isPortTaken = (error: unknown): boolean =>
  error instanceof ConfigError && (error.cause as { code?: string } | undefined)?.code === 'EADDRINUSE'
