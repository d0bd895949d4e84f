import type { Logger } from '../log.ts'
import type { McpState } from './types.ts'

/** How one server is. */
export interface ServerState {
  read(): { readonly state: McpState; readonly since: number; readonly lastError: string | undefined }
  /** It is there; or it is not, and why. */
  tell(error: string | undefined): void
}

export interface ServerStateOptions {
  readonly server: string
  readonly enabled: boolean
  readonly log: Logger
  readonly now: () => number
  readonly onChange: () => void
}

export function createServerState({ server, enabled, log, now, onChange }: ServerStateOptions): ServerState {
  let state: McpState = enabled ? 'starting' : 'stopped'
  let since = now()
  let lastError: string | undefined
  return {
    read: () => ({ state, since, lastError }),
    tell(error) {
      const next = error === undefined ? 'healthy' : 'unhealthy'
      const isNews = next !== state || (error !== undefined && error !== lastError)
      const before = state
      lastError = error ?? lastError
      state = next
      // a server that fails again and again for the same reason is told of once
      if (isNews && error === undefined) log.info({ server }, `MCP server "${server}" is there`)
      else if (isNews) log.warn({ server }, `MCP server "${server}" is not there: ${error}`)
      if (before === next) return
      since = now()
      onChange()
    },
  }
}
