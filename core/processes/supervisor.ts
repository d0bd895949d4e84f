/** A snapshot of a process, for the admin page. */
export type ProcessState = 'stopped' | 'starting' | 'ready' | 'stopping'

/** One model server child and its model. A single queue owns every change of state. */
export interface ServerProcess {
  readonly model: string
  /** Never decide on it; call `ensureReady`. */
  readonly state: ProcessState
  /** Where it listens, once ready. */
  readonly baseUrl: string
  /** Brings it up if needed; callers that arrive together share one start. Throws when the start fails. */
  ensureReady(signal: AbortSignal): Promise<void>
  /** SIGTERM to the whole process group, SIGKILL after `graceMs`. Stopping twice is fine. */
  stop(graceMs: number): Promise<void>
}

/** Owns every model server that gatehouse starts itself. */
export interface Supervisor {
  list(): readonly ServerProcess[]
  /** The process that serves a model, or undefined when it is not one of ours. */
  get(model: string): ServerProcess | undefined
}

/** Names the processes that must stop before `wanted` may start. Pure, so tests need no process. */
export type EvictionPolicy = (wanted: string, running: readonly Running[]) => readonly string[]

export interface Running {
  readonly model: string
  /** Milliseconds since the epoch. */
  readonly lastUsedAt: number
  readonly inFlight: number
}
