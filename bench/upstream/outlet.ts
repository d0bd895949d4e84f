import type { Socket } from 'bun'

/** The way out to one client: sends what the socket takes and keeps the rest. */
export interface Outlet {
  send(bytes: Buffer): void
  /** Bytes the kernel has taken so far. */
  readonly taken: number
  /** True while nothing waits for the socket. */
  readonly clear: boolean
  /** Set it to hear of room in the socket, and of its end. */
  onClear: (() => void) | undefined
  onClose: (() => void) | undefined
  drained(): void
  closed(): void
}

/** Wraps a raw socket, whose `write` may take only a part. */
export function createOutlet(socket: Pick<Socket<unknown>, 'write'>): Outlet {
  let waiting: Buffer | undefined
  let taken = 0

  const write = (bytes: Buffer) => {
    const written = Math.max(0, socket.write(bytes))
    taken += written
    waiting = written < bytes.length ? bytes.subarray(written) : undefined
  }
  return {
    onClear: undefined,
    onClose: undefined,
    get taken() {
      return taken
    },
    get clear() {
      return waiting === undefined
    },
    send(bytes) {
      if (waiting) waiting = Buffer.concat([waiting, bytes])
      else write(bytes)
    },
    drained() {
      if (waiting) write(waiting)
      if (!waiting) this.onClear?.()
    },
    closed() {
      this.onClose?.()
    },
  }
}
