import type { MaybePromise } from '../plugin.ts'
import type { RestartLimits } from './restarts.ts'

/** How a model server is started: everything is known. */
export interface Launch {
  /** A name to be found in the PATH of `env`, or a path, which counts from `cwd`. */
  readonly command: string
  readonly args: readonly string[]
  /** All it gets, but for a mark of ours. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd?: string | undefined
  /** Answers 200 as soon as it serves. */
  readonly healthPath: string
  /** The key it was told to ask for. */
  readonly apiKey?: string | undefined
  /** A command that makes it end, run before any signal. */
  readonly stop?: { readonly command: string; readonly args?: readonly string[] } | undefined
  /** Another program may listen for it, as a container's does. Otherwise whoever else is found on its port gets no request. */
  readonly listensElsewhere?: boolean | undefined
}

/** A model that is a process, as the config has it. */
export interface ProcessSpec {
  readonly model: string
  /** Differs whenever anything differs that needs another process. */
  readonly print: string
  /** Makes the launch for a port, anew for each start: keys are random. */
  readonly launch: (port: number) => MaybePromise<Launch>
  /**
   * A last look at a server that says it is well. What it throws makes the start fail, and is for the log; with the code
   * `EADDRINUSE` it says that this is another server, and the next port is tried.
   */
  readonly check?: ((server: ServerAddress, signal: AbortSignal) => Promise<void>) | undefined
  /** Start it together with the house, if there is room. */
  readonly preload?: boolean | undefined
  /** Stop it when it was not used for so long. */
  readonly ttlMs?: number | undefined
  /** Longest load. */
  readonly loadTimeoutMs?: number | undefined
}

/** Where a child listens, and what it asks for. */
export interface ServerAddress {
  /** `http://127.0.0.1:PORT` */
  readonly baseUrl: string
  readonly port: number
  readonly apiKey?: string | undefined
}

/** A port that nobody else gets before it is released. */
export interface ChosenPort {
  readonly port: number
  release(): void
}

/** Finds the next free port. */
export type ChoosePort = () => MaybePromise<ChosenPort>

/** How long what may take, for all processes alike. */
export interface ProcessTimes {
  /** Between two looks at a server that is ready. */
  readonly healthEveryMs: number
  /** For the answer to such a look. */
  readonly healthTimeoutMs: number
  /** So many looks in a row that found nothing make it a hang. */
  readonly healthFailures: number
  /** From SIGTERM to SIGKILL. */
  readonly graceMs: number
  /** The same when gatehouse itself is gone; nobody waits for such a child any more. */
  readonly orphanGraceMs: number
  /** Starts after crashes and failures. */
  readonly restarts: RestartLimits
  /** For so long it is not tried again after the last of them. */
  readonly cooldownMs: number
}

/** What is usual. */
export const usualTimes: ProcessTimes = {
  healthEveryMs: 30_000,
  healthTimeoutMs: 10_000,
  healthFailures: 3,
  graceMs: 10_000,
  orphanGraceMs: 1_000,
  restarts: { most: 5, windowMs: 10 * 60_000, firstMs: 1_000, longestMs: 30_000 },
  cooldownMs: 60_000,
}
