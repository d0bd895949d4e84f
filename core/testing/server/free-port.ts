import type { Server } from 'node:net'

const LOWEST = 20_000
const COUNT = 12_000

/**
 * Makes `server` listen on 127.0.0.1 and returns the port. Without a wanted port it takes a free one below the
 * ephemeral range: a port inside that range can be in use by an outgoing connection, even by one to itself.
 */
export async function listenOnFreePort(server: Server, wanted?: number): Promise<number> {
  if (wanted !== undefined) {
    await listen(server, wanted)
    return wanted
  }
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = LOWEST + Math.floor(Math.random() * COUNT)
    try {
      await listen(server, port)
      return port
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    }
  }
  throw new Error(`no free port between ${LOWEST} and ${LOWEST + COUNT}`)
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      resolve()
    })
  })
}
