import type { Connection } from './connection.ts'
import { type Limits, openLimit, orAborted } from './limits.ts'
import { McpFailure } from './mcp-failure.ts'
import type { HealthWatch } from './server-health.ts'
import type { Life } from './server-life.ts'
import type { Slots } from './slots.ts'
import type { StatsKeeper } from './stats.ts'
import type { McpRequest } from './types.ts'

/** What a request wants of a connection. */
export type Work<T> = (connection: Connection, limits: Limits) => Promise<T>

/** Requests to one server. */
export interface Requests {
  /** Runs one within its limits, when the server is there and has a place for it. */
  use<T>(request: Omit<McpRequest, 'server'>, work: Work<T>): Promise<T>
  /** Resolves when there are none, or after `ms`. */
  drained(ms: number): Promise<void>
}

export interface RequestsOptions {
  readonly server: string
  readonly longestMs: number
  readonly life: Life
  readonly health: HealthWatch
  readonly stats: StatsKeeper
  /** Undefined for a child, which takes as many as come. */
  readonly slots: Slots | undefined
  /** Takes secrets out of a text. */
  readonly hide: (text: string) => string
}

export function createRequests({ server, longestMs, life, health, stats, slots, hide }: RequestsOptions): Requests {
  const waiting = new Set<() => void>()

  const once = async <T>(limits: Limits, work: Work<T>): Promise<T> => {
    const connection = await life.ready(limits.signal)
    try {
      return await work(connection, limits)
    } catch (error) {
      if (!(error instanceof McpFailure && error.extra.neverReached)) throw error
      // a server that was started again knows nothing of our session; then there will be a new connection
      await orAborted(limits.signal, health.check())
      if (life.connection() === connection) throw error
      return work(await life.ready(limits.signal), limits)
    }
  }
  const placed = async <T>(limits: Limits, work: Work<T>): Promise<T> => {
    const giveBack = await slots?.take(limits.signal)
    try {
      return await once(limits, work)
    } finally {
      giveBack?.()
    }
  }

  return {
    async use({ signal, timeoutMs = longestMs, requestId, onProgress }, work) {
      const ms = Math.min(timeoutMs, longestMs)
      const late = () => new McpFailure('timeout', `the MCP server "${server}" did not answer within ${ms / 1000} s`)
      using limit = openLimit(ms, late, signal)
      const end = stats.begin()
      let failed = true
      try {
        const result = await placed({ signal: limit.signal, requestId, onProgress }, work)
        failed = false
        return result
      } catch (error) {
        throw error instanceof McpFailure ? new McpFailure(error.reason, hide(error.message), error.extra) : error
      } finally {
        end(failed)
        if (stats.read().active === 0) for (const tell of waiting) tell()
      }
    },
    drained(ms) {
      if (stats.read().active === 0) return Promise.resolve()
      return new Promise(resolve => {
        const timer = setTimeout(done, ms)
        function done() {
          clearTimeout(timer)
          waiting.delete(done)
          resolve()
        }
        waiting.add(done)
      })
    },
  }
}
