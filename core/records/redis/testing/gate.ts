import { connect, createServer, type Socket } from 'node:net'
import { listenOnFreePort } from '../../../testing/server/free-port.ts'

/** A way to a Redis that can be shut for one instance alone. */
export interface Gate extends AsyncDisposable {
  readonly url: string
  /** Cuts all connections, and takes no new ones. */
  shut(): void
  open(): void
}

/** Opens a way to a port of this machine. */
export async function openGate(port: number): Promise<Gate> {
  const sockets = new Set<Socket>()
  let isOpen = true
  const keep = (socket: Socket) => {
    sockets.add(socket)
    return socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  }
  const server = createServer(near => {
    keep(near)
    if (!isOpen) return near.destroy()
    const far = keep(connect(port, '127.0.0.1'))
    near.pipe(far).pipe(near)
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  })
  const at = await listenOnFreePort(server)
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: `redis://127.0.0.1:${at}`,
    shut() {
      isOpen = false
      cut()
    },
    open() {
      isOpen = true
    },
    async [Symbol.asyncDispose]() {
      cut()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
