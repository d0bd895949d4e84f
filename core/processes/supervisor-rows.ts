import type { ProcessState, ServerProcess } from './server-process.ts'

/** A process as `GET /running` tells of it. Times are ISO 8601. */
export interface RunningRow {
  readonly model: string
  readonly state: ProcessState
  readonly pid: number | null
  readonly port: number | null
  readonly since: string
  readonly last_used: string | null
  readonly in_flight: number
  /** Requests that wait for it to be ready, or for a place at it. */
  readonly queued: number
  readonly memory_bytes: number | null
  readonly restarts: number
  /** How it ended last; 128 and more when a signal ended it. */
  readonly exit_code: number | null
}

/** Makes the row of a process; `before` wait in a queue in front of it. */
export function rowOf(process: ServerProcess, memoryBytes: number | undefined, before = 0): RunningRow {
  const { state, since, pid, port, lastUsedAt, inFlight, queued, restarts, exitCode } = process.snapshot()
  return {
    model: process.model,
    state,
    pid: pid ?? null,
    port: port ?? null,
    since: new Date(since).toISOString(),
    last_used: lastUsedAt === undefined ? null : new Date(lastUsedAt).toISOString(),
    in_flight: inFlight,
    queued: queued + before,
    memory_bytes: memoryBytes ?? null,
    restarts,
    exit_code: exitCode ?? null,
  }
}
