import type { Connection } from './connection.ts'
import { openLimit } from './limits.ts'
import { McpFailure } from './mcp-failure.ts'
import type { McpHealth } from './types.ts'

/** Looks at one server. */
export interface HealthWatch {
  /** Pings it, and gives it up when it is gone. Who asks while one is on its way gets that. Never rejects. */
  check(): Promise<McpHealth>
  read(): McpHealth
  /** Its connection was made, or ended with an error. */
  note(error: string | undefined): void
}

export interface HealthOptions {
  readonly connection: () => Connection | undefined
  readonly timeoutMs: () => number
  /** Silent for so long, and it has missed `mostMissed` pings: it hangs. Requests that it works on have their own limits. */
  readonly longestSilenceMs: number
  readonly now: () => number
  readonly steady: () => number
  /** Takes secrets out of a text. */
  readonly hide: (text: string) => string
  /** Called when it answers again, and when it does not. */
  readonly onChange: (error: string | undefined) => void
}

const mostMissed = 3

export function createHealthWatch(options: HealthOptions): HealthWatch {
  const { connection, timeoutMs, longestSilenceMs, now, steady, hide, onChange } = options
  let health: McpHealth = { status: 'unknown', lastCheck: undefined, lastSuccess: undefined, lastError: undefined, latencyMs: undefined }
  let missed = 0
  let running: Promise<McpHealth> | undefined

  const note = (lastError: string | undefined, latencyMs = health.latencyMs) => {
    const isWell = lastError === undefined
    const before = health.status
    const at = now()
    if (isWell) missed = 0
    health = {
      status: isWell ? 'healthy' : 'unhealthy',
      lastCheck: at,
      lastSuccess: isWell ? at : health.lastSuccess,
      lastError: lastError ?? health.lastError,
      latencyMs,
    }
    return before !== health.status
  }
  const ping = async (to: Connection) => {
    const begun = steady()
    const ms = timeoutMs()
    const late = () => new McpFailure('timeout', `it did not answer a ping within ${ms / 1000} s`)
    using limit = openLimit(ms, late)
    try {
      await to.ping({ signal: limit.signal })
      if (connection() === to && note(undefined, steady() - begun)) onChange(undefined)
    } catch (error) {
      if (connection() !== to) return
      const message = hide((error as Error).message)
      missed++
      const isGone = !limit.signal.aborted || (missed >= mostMissed && to.silentMs() >= longestSilenceMs)
      if (isGone) to.lose(message)
      else if (note(message)) onChange(message)
    }
  }

  return {
    note: error => void note(error),
    read: () => health,
    check() {
      if (running) return running
      const to = connection()
      if (!to) return Promise.resolve(health)
      running = ping(to).then(() => {
        running = undefined
        return health
      })
      return running
    },
  }
}
