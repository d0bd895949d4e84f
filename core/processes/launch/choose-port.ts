import { createServer } from 'node:net'

/** A port of this machine, ours until it is given back. */
export interface PortLease {
  readonly port: number
  /** Call it when the process that was to listen there is gone. Twice is fine. */
  release(): void
}

/** Picks a free port. Rejects when there is none. */
export type ChoosePort = () => Promise<PortLease>

/** Ports are used round about: a request that is on its way to a process that has ended should find nobody, not another model. */
const round = 64
const highest = 65_535

/**
 * Picks ports from `first` on, none that somebody listens on and none twice at once. It goes on behind the last one, and
 * begins again after 64; beyond those only when none of them is free.
 */
export function portChooser(first: number, isFree: (port: number) => Promise<boolean> = canListen): ChoosePort {
  const taken = new Set<number>()
  let last = 0

  const take = async (port: number): Promise<PortLease | undefined> => {
    if (taken.has(port)) return undefined
    taken.add(port) // before the look, so that nobody else looks at it meanwhile
    let free = false
    try {
      free = await isFree(port)
    } finally {
      if (!free) taken.delete(port)
    }
    let held = true
    const release = () => {
      if (held) taken.delete(port)
      held = false
    }
    return free ? { port, release } : undefined
  }

  return async () => {
    const near = Math.min(round, highest - first + 1)
    for (let step = 0; step < near; step++) {
      const offset = last++ % near
      const lease = await take(first + offset)
      if (lease) return lease
    }
    for (let port = first + near; port <= highest; port++) {
      const lease = await take(port)
      if (lease) return lease
    }
    throw new Error(`there is no free port from ${first} on; change port_range_start`)
  }
}

/**
 * Whether a process could listen on 127.0.0.1, by doing it. It is not enough that nobody answers: and we must not share the
 * port, as llama-server does with others of its user (SO_REUSEPORT).
 */
export function canListen(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}
