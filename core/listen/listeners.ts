import type { Config } from '../config/schema.ts'
import type { Kernel } from '../kernel.ts'
import { isPortTaken, type Listener, openListener } from './listener.ts'
import type { TlsPair } from './tls-files.ts'
import { openTlsListener, type TlsListener } from './tls-listener.ts'

/** Where and how gatehouse listens. */
export interface Door extends Pick<Config, 'host' | 'port'> {
  readonly tls: TlsPair | undefined
}

/** The addresses gatehouse listens on; the default host has two of them. */
export interface Listeners {
  readonly all: readonly Listener[]
  /**
   * Goes where `door` says. What stays the same is not touched; a new certificate drops no request. Answers whether
   * anything changed. Throws when the new address cannot be had, and then the old one is open again.
   */
  move(door: Door): boolean
  /** Takes no new connections; resolves when the open ones have sent all they had. */
  stop(): Promise<void>
  /** Ends every connection. */
  close(): void
}

/** Opens the addresses of `door`. Throws a ConfigError when that cannot be done. */
export function createListeners(door: Door, kernel: () => Kernel): Listeners {
  let current = door
  let all = openAll(door, kernel)
  const left: Promise<void>[] = []

  const reopen = (next: Door) => {
    const before = all
    for (const listener of before) left.push(listener.stop())
    try {
      all = openAll(next, kernel)
    } catch (error) {
      all = openAll({ ...current, port: before[0]?.port ?? current.port }, kernel)
      throw error
    }
  }

  return {
    get all() {
      return all
    },
    move(next) {
      const { tls } = next
      const stays = next.host === current.host && next.port === current.port && Boolean(tls) === Boolean(current.tls)
      const renewed = tls !== undefined && (tls.cert !== current.tls?.cert || tls.key !== current.tls.key)
      if (!stays) reopen(next)
      else if (renewed) for (const listener of all) (listener as TlsListener).use(tls)
      current = next
      return !stays || renewed
    },
    async stop() {
      await Promise.all([...left, ...all.map(listener => listener.stop())])
    },
    close() {
      for (const listener of all) listener.close()
    },
  }
}

/** The default host means both loopback addresses; a machine without IPv6 has only one. */
function openAll({ host, port, tls }: Door, kernel: () => Kernel): Listener[] {
  const open = (hostname: string, port: number) =>
    tls ? openTlsListener({ hostname, port }, tls, kernel) : openListener({ hostname, port }, kernel)
  if (host !== '127.0.0.1' && host !== 'localhost') return [open(host, port)]
  const first = open('127.0.0.1', port)
  try {
    return [first, open('::1', first.port)]
  } catch (error) {
    if (isPortTaken(error)) {
      first.close()
      throw error
    }
    return [first]
  }
}
