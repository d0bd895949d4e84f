import { endlessly, streamRequest } from '../wire/requests.ts'

export interface StalledOrder {
  readonly url: string
  readonly clients: number
}

/** Opens streams and never reads a byte of them. Resolves when all have been asked for; they stay open until the process ends. */
export async function stalled({ url: address, clients }: StalledOrder): Promise<{ readonly clients: number }> {
  const url = new URL(address)
  for (let seed = 0; seed < clients; seed++) {
    const socket = await Bun.connect({ hostname: url.hostname, port: Number(url.port), socket: { data() {} } })
    socket.pause() // takes the socket out of the event loop: nothing is read from the kernel
    socket.write(streamRequest(url, seed, endlessly))
  }
  return { clients }
}
