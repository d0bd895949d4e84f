import { createResponseReader, type ResponseListener } from '../wire/response-reader.ts'

/** One connection to a server. */
export interface Line {
  send(bytes: Buffer): void
  end(): void
}

export interface LineListener extends ResponseListener {
  /** The connection ended, and not because of `end()`. */
  lost(why: string): void
}

/** Opens a raw connection; what comes in is read as HTTP responses. */
export async function connect({ hostname, port }: URL, listener: LineListener): Promise<Line> {
  const feed = createResponseReader(listener)
  let over = false
  const lose = (why: string) => {
    if (over) return
    over = true
    listener.lost(why)
  }
  const socket = await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      data: (_, bytes) => feed(bytes),
      close: (_, error) => lose(error?.message ?? 'the server closed the connection'),
      error: (_, error) => lose(error.message),
    },
  })
  socket.setNoDelay(true)
  return {
    send(bytes) {
      // requests are small and the socket is empty: less than everything means that it is gone
      if (socket.write(bytes) < bytes.length) lose('the server takes no request')
    },
    end() {
      over = true
      socket.end()
    },
  }
}
