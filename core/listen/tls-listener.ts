import type { Socket as TcpSocket } from 'bun'
import type { Kernel } from '../kernel.ts'
import { type Address, type Listener, orConfigError, serveOptions } from './listener.ts'
import type { TlsPair } from './tls-files.ts'

/** An HTTPS address whose certificate can be changed. */
export interface TlsListener extends Listener {
  /** New connections get this certificate; those that are open keep the one they began with. Throws when it cannot be used. */
  use(pair: TlsPair): void
}

/**
 * Bun can neither change the certificate of a server nor stop one without cutting connections that are still
 * shaking hands (two or three of them per change, at 1 000 new connections a second). So the port belongs to a
 * plain TCP listener that hands the bytes, still encrypted, to a server on the loopback; with a new certificate
 * comes a new server, and the old one leaves when its last connection has. The hop costs about 5 % of the requests
 * per second of small answers over kept connections.
 */
export function openTlsListener({ hostname, port }: Address, pair: TlsPair, kernel: () => Kernel): TlsListener {
  // behind the hop everybody comes from the loopback: the caller's address, by the hop's own port
  const callers = new Map<number, string>()
  const addressOf = (peer: { readonly address: string; readonly port: number } | null) => {
    const address = peer && callers.get(peer.port)
    return address === undefined || address === null ? peer : { address }
  }

  const openInner = ({ cert, key }: TlsPair) => {
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
    return { server, port: server.port as number, connections: 0 }
  }

  let current = openInner(pair)
  const inners = new Set([current])
  const leave = (inner: typeof current) => {
    if (--inner.connections > 0 || inner === current) return
    inners.delete(inner)
    inner.server.stop(true)
  }

  const outer = (() => {
    try {
      return orConfigError({ hostname, port }, () =>
        Bun.listen<End>({
          hostname,
          port,
          socket: {
            ...relay,
            open(caller) {
              const inner = current
              inner.connections++
              caller.data = newEnd()
              caller.pause()
              Bun.connect<End>({
                hostname: '127.0.0.1',
                port: inner.port,
                data: { ...newEnd(), other: caller },
                socket: {
                  ...relay,
                  open(hop) {
                    callers.set(hop.localPort, caller.remoteAddress)
                    caller.data.other = hop
                    if (caller.data.ended) hop.end()
                    else caller.resume()
                  },
                  close(hop) {
                    callers.delete(hop.localPort)
                    leave(inner)
                    relay.close(hop)
                  },
                },
              }).catch(() => {
                leave(inner)
                caller.terminate()
              })
            },
          },
        }),
      )
    } catch (error) {
      for (const { server } of inners) server.stop(true)
      throw error
    }
  })()

  return {
    hostname,
    port: outer.port,
    use(next) {
      const before = current
      current = openInner(next)
      inners.add(current)
      before.connections++
      leave(before)
    },
    async stop() {
      outer.stop(false)
      await Promise.all([...inners].map(({ server }) => server.stop(false)))
    },
    close() {
      outer.stop(true)
      for (const { server } of inners) server.stop(true)
    },
  }
}

/** One side of the hop. */
interface End {
  other: TcpSocket<End> | undefined
  /** What the socket did not take yet; its other side is paused meanwhile. */
  waiting: Uint8Array | undefined
  ended: boolean
}

const newEnd = (): End => ({ other: undefined, waiting: undefined, ended: false })

/** What comes in on one side goes out on the other, and no faster than it leaves. */
const relay = {
  data(from: TcpSocket<End>, bytes: Uint8Array) {
    const to = from.data.other
    if (!to) return
    const sent = to.write(bytes)
    if (sent === bytes.length) return
    to.data.waiting = bytes.slice(Math.max(0, sent))
    from.pause()
  },
  drain(to: TcpSocket<End>) {
    const { waiting, other } = to.data
    if (!waiting) return
    const sent = to.write(waiting)
    if (sent < waiting.length) {
      to.data.waiting = waiting.subarray(Math.max(0, sent))
      return
    }
    to.data.waiting = undefined
    if (other?.data.ended) to.end()
    else other?.resume()
  },
  close(socket: TcpSocket<End>) {
    const { data } = socket
    data.ended = true
    const { other } = data
    // what is still on its way to the other side leaves first
    if (other && !other.data.waiting) other.end()
  },
  error() {},
}
