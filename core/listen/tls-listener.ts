import { ConfigError } from '../errors.ts'
import type { Kernel } from '../kernel.ts'
import { type Address, type Listener, orConfigError, serveOptions } from './listener.ts'
import { type End, newEnd, relay } from './relay.ts'
import type { TlsPair } from './tls-files.ts'

/** An HTTPS address whose certificate can be changed. */
export interface TlsListener extends Listener {
  /** New connections get this certificate; those that are open keep the one they began with. Throws when it cannot be used. */
  use(pair: TlsPair): void
}

/** A server with one certificate, behind the hop. It leaves when it is not the current one and its last connection has ended. */
interface Inner {
  readonly server: Bun.Server<undefined>
  connections: number
}

/**
 * Bun can neither change the certificate of a server nor stop one without cutting connections that are still
 * shaking hands (two or three of them per change, at 1 000 new connections a second). So the port belongs to a
 * plain TCP listener that hands the bytes, still encrypted, to a server on the loopback; with a new certificate
 * comes a new server, and the old one leaves when its last connection has. A connection costs three file
 * descriptors and a port of the loopback instead of one descriptor.
 */
export function openTlsListener({ hostname, port }: Address, pair: TlsPair, kernel: () => Kernel): TlsListener {
  // Behind the hop everybody comes from the loopback: the caller's address, by the hop's own port. It stays when the hop is
  // over, until the port is used again: the last request of somebody who hangs up at once is read after that.
  const callers = new Map<number, string>()
  let current = openInner(pair, kernel, callers)
  const inners = new Set([current])
  const leave = (inner: Inner) => {
    if (--inner.connections > 0 || inner === current) return
    inners.delete(inner)
    inner.server.stop(true)
  }
  let open = 0
  let whenEmpty: (() => void)[] = []

  const listen = () =>
    Bun.listen<End>({
      hostname,
      port,
      socket: {
        ...relay,
        open(caller) {
          open++
          caller.data = newEnd()
          caller.pause()
          const inner = current
          inner.connections++
          hopTo(inner, caller, callers).then(() => leave(inner))
        },
        close(caller) {
          relay.close(caller)
          if (--open > 0) return
          for (const resolve of whenEmpty) resolve()
          whenEmpty = []
        },
      },
    })
  const outer = (() => {
    try {
      return orConfigError({ hostname, port }, listen)
    } catch (error) {
      current.server.stop(true)
      throw error
    }
  })()

  return {
    hostname,
    port: outer.port,
    use(next) {
      const before = current
      current = openInner(next, kernel, callers)
      inners.add(current)
      before.connections++
      leave(before)
    },
    async stop() {
      outer.stop(false)
      await Promise.all([...inners].map(({ server }) => server.stop(false)))
      // the last bytes of a server may still be on the hop
      if (open > 0) await new Promise<void>(resolve => whenEmpty.push(resolve))
    },
    close() {
      outer.stop(true)
      for (const { server } of inners) server.stop(true)
    },
  }
}

function openInner({ cert, key }: TlsPair, kernel: () => Kernel, callers: ReadonlyMap<number, string>): Inner {
  const addressOf = (peer: { readonly address: string; readonly port: number } | null) => {
    const address = peer ? callers.get(peer.port) : undefined
    return address === undefined ? peer : { address }
  }
  try {
    const server = Bun.serve({
      ...serveOptions,
      hostname: '127.0.0.1',
      port: 0,
      tls: { cert, key },
      fetch: (request, own) =>
        kernel().fetch(request, {
          requestIP: asked => addressOf(own.requestIP(asked)),
          timeout: (asked, seconds) => own.timeout(asked, seconds),
        }),
    })
    return { server, connections: 0 }
  } catch {
    // without the cause: it is the library's own words, and may quote the files
    throw new ConfigError('tls: the certificate and key cannot be used; look at what else stands in their files')
  }
}

/** Connects a caller to a server; resolves when the connection to it is over, or never came to be. */
async function hopTo({ server }: Inner, caller: Bun.Socket<End>, callers: Map<number, string>): Promise<void> {
  const over = Promise.withResolvers<void>()
  const address = caller.remoteAddress
  try {
    await Bun.connect<End>({
      hostname: '127.0.0.1',
      port: server.port as number,
      data: newEnd(caller),
      socket: {
        ...relay,
        open(hop) {
          callers.set(hop.localPort, address)
          caller.data.other = hop
          if (caller.data.ended) hop.end()
          else caller.resume()
        },
        close(hop) {
          relay.close(hop)
          over.resolve()
        },
      },
    })
    await over.promise
  } catch {
    caller.terminate()
  }
}
