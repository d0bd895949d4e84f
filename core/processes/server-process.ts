import type { OutputBuffer } from './output-buffer.ts'
import type { ProcessFailure } from './server-process-errors.ts'
import type { Lease } from './server-process-life.ts'
import type { ProcessSpec } from './server-process-spec.ts'

/** What a model's process is about. `stopping` also while those who use it are waited for; `failed` until it is tried again. */
export type ProcessState = 'stopped' | 'starting' | 'ready' | 'stopping' | 'failed'

/** A model server that gatehouse runs, whether it runs now or not. One queue owns every change of its state. */
export interface ServerProcess {
  readonly model: string
  /** Never decide on it, nor on what `snapshot` says: ask for what you want. */
  readonly state: ProcessState
  snapshot(): ProcessSnapshot
  /** What it writes, over all of its lives. */
  readonly output: OutputBuffer
  /** Brings it up if needed and keeps it up until the lease is released. Callers that arrive together share one start. */
  use(signal: AbortSignal): Promise<Lease>
  /** Only brings it up. */
  ensureReady(signal: AbortSignal): Promise<void>
  /** Brings it up without anybody to wait for it, and only into room that is free. */
  warm(): void
  /** Stops it when those who use it are done; who waits for it gets the next start. By `force` at once, and then both hear of it. */
  unload(options?: { readonly force?: boolean }): Promise<void>
  /** It is not in the config any more: who uses it may finish, and nobody else gets it. */
  retire(): Promise<void>
  /** From now on it is to be like this. One that runs and would have to be another is replaced once nobody uses it. */
  update(spec: ProcessSpec): void
  /** Ends it for good. */
  close(graceMs: number): Promise<void>
  /** The ids of all that belongs to it now. */
  family(): readonly number[]
}

/** For those who look on. Times are milliseconds since the epoch. */
export interface ProcessSnapshot {
  readonly state: ProcessState
  readonly since: number
  readonly pid: number | undefined
  readonly port: number | undefined
  readonly lastUsedAt: number | undefined
  /** What has passed since its last use, whatever happened to the clock; 0 while it is used or does not run. */
  readonly idleMs: number
  readonly inFlight: number
  /** Who waits for it to be ready. */
  readonly queued: number
  /** How often it was started again after it had ended by itself. */
  readonly restarts: number
  /** How it ended last, as a shell says it: 128 and the signal's number when a signal ended it. */
  readonly exitCode: number | undefined
  readonly failure: ProcessFailure | undefined
  /** While it starts: what is left of the time it usually takes. */
  readonly etaMs: number | undefined
}

/** Gives room to those who want to start, one after another. */
export interface Room {
  /**
   * Resolves when there is room, right after `granted`. Rejects with the reason of the signal, with an error for the client
   * when there never will be any, or with `noRoom`.
   */
  take(request: RoomRequest): Promise<void>
}

/** Who wants to start. */
export interface RoomRequest {
  readonly model: string
  readonly signal: AbortSignal
  /** False when nobody has to make room for it: then it is refused with `noRoom` instead of waiting. */
  mayEvict(): boolean
  /** From this moment on it counts among those that run. */
  granted(): void
}

/** A start that nobody waits for found no room. */
export const noRoom = new Error('there is no room')
