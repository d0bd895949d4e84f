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
  let current: Door | undefined = door // undefined when nobody listens
  let all = openAll(door, kernel)
  const left = new Set<Promise<void>>()

  const leave = (listeners: readonly Listener[]) => {
    for (const listener of listeners) {
      const gone: Promise<void> = listener.stop().finally(() => left.delete(gone))
      left.add(gone)
    }
  }
  const reopen = (next: Door) => {
    const before = all
    if (next.port !== current?.port) {
      all = openAll(next, kernel)
      return leave(before)
    }
    // the same port, spoken otherwise: the old one has to go first
    leave(before)
    const port = before[0]?.port ?? next.port // which may be any free one
    const back = current && { ...current, port }
    current = undefined
    try {
      all = openAll({ ...next, port }, kernel)
    } catch (error) {
      if (back) {
        all = openAll(back, kernel)
        current = { ...back, port: next.port }
      }
      throw error
    }
  }

  return {
    get all() {
      return all
    },
    move(next) {
      const { tls } = next
      const stays = next.host === current?.host && next.port === current.port && Boolean(tls) === Boolean(current.tls)
      const renewed = tls !== undefined && (tls.cert !== current?.tls?.cert || tls.key !== current.tls.key)
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
