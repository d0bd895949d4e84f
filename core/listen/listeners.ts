import type { Config } from './config/schema.ts'
import { ConfigError } from './errors.ts'
import type { Kernel, Listener } from './kernel.ts'

/** The default host means both loopback addresses; a machine without IPv6 has only one. */
export function listen(kernel: Kernel, { host, port }: Pick<Config, 'host' | 'port'>): Listener[] {
  if (host !== '127.0.0.1' && host !== 'localhost') return [open(kernel, host, port)]
  const first = open(kernel, '127.0.0.1', port)
  try {
    return [first, open(kernel, '::1', first.port)]
  } catch (error) {
    if (isPortTaken(error)) {
      first.close()
      throw error
    }
    return [first]
  }
}

function open(kernel: Kernel, host: string, port: number): Listener {
  try {
    return kernel.listen(host, port)
  } catch (cause) {
    const { code } = cause as { code?: string }
    if (code === 'EADDRINUSE') {
      throw new ConfigError(
        `port ${port} on ${host} is taken: another gatehouse or another program listens there. Choose another one with --port.`,
        { cause },
      )
    }
    if (code === 'EACCES')
      throw new ConfigError(`port ${port} on ${host} needs more rights than this user has. Choose one above 1023 with --port.`, { cause })
    throw new ConfigError(`cannot listen on ${host} port ${port}: ${(cause as Error).message}`, { cause })
  }
}

const isPortTaken = (error: unknown) => error instanceof ConfigError && (error.cause as { code?: string })?.code === 'EADDRINUSE'
