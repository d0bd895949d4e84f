import type { Phase } from './context.ts'
import { GatewayError } from './errors.ts'
import type { Exchange } from './exchange.ts'
import type { Exchanges } from './gateway.ts'

/** The register of what is in flight. */
export interface ExchangeRegister extends Exchanges {
  open(exchange: Exchange): void
  close(exchange: Exchange): void
  /** Ends those in these phases, or all. */
  cancelAll(reason: GatewayError, phases?: readonly Phase[]): void
  /** Milliseconds since the last one ended; Infinity when none has. */
  quietMs(): number
  readonly size: number
  /** Resolves when nothing is in flight any more. */
  idle(): Promise<void>
}

/** Keeps every request from its first byte to its last. */
export function createExchanges(): ExchangeRegister {
  const open = new Set<Exchange>()
  let waiting: (() => void)[] = []
  let endedAt = Number.NEGATIVE_INFINITY
  return {
    open: exchange => void open.add(exchange),
    close(exchange) {
      open.delete(exchange)
      endedAt = performance.now()
      if (open.size > 0) return
      for (const resolve of waiting) resolve()
      waiting = []
    },
    list: () => [...open].map(({ ctx }) => ctx),
    cancel(id) {
      const wanted = [...open].filter(({ ctx }) => ctx.id === id)
      for (const exchange of wanted) exchange.cancel(cancelled())
      return wanted.length > 0
    },
    cancelAll(reason, phases) {
      for (const exchange of open) if (!phases || phases.includes(exchange.ctx.phase)) exchange.cancel(reason)
    },
    quietMs: () => performance.now() - endedAt,
    get size() {
      return open.size
    },
    idle: () => (open.size === 0 ? Promise.resolve() : new Promise(resolve => waiting.push(resolve))),
  }
}

const cancelled = () => new GatewayError(503, 'service_unavailable', 'cancelled', 'The operator ended this request.')
