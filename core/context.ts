import type { Logger } from 'pino'
import type { AnswerHeaders } from './http/answer-headers.ts'
import type { Outcome, StreamObserver } from './http/observe.ts'
import type { ResolvedModel } from './models.ts'
import type { Operation, Payload, Usage } from './openai.ts'
import type { Decision } from './plugin.ts'
import type { IndexedKey } from './records/key-index.ts'

/** Where a request is, for the panel and for the timeouts. */
export type Phase = 'reading' | 'queued' | 'loading' | 'waiting' | 'streaming' | 'tools' | 'settled'

/**
 * Who may use a path. `key` means any caller `auth` let in, `admin` only the admin key, `named` also managed keys whose
 * `allowed_endpoints` name the path.
 */
export type Access = 'open' | 'key' | 'named' | 'admin'

/** Everything one request carries through the pipeline. Built by the kernel, gone once settled. */
export interface Context {
  /** Correlation id: the client's `x-request-id` when well formed, else a new UUID. */
  readonly id: string
  /** The web-standard request. Its body belongs to the kernel; use `payload` or `wire()`. */
  readonly request: Request
  readonly url: URL
  /** Its path, without the query. */
  readonly path: string
  /** The caller's address; the one a trusted proxy reports, when there is one. */
  readonly ip: string
  /** Which API call this is, for example `chat.completions`. The route's path for other routes. */
  readonly operation: Operation
  /** Who may use this path, and whether the rate limit counts it. */
  readonly access: Access
  readonly limited: boolean
  /** Aborts when the client leaves, somebody cancels, or gatehouse stops. Give it to every fetch and store call. */
  readonly signal: AbortSignal
  /** Logger that already carries the request id. */
  readonly log: Logger
  /** Reads and parses the body once; the kernel calls it after the key is known, so that strangers cost nothing. */
  read(): Promise<Payload>
  /** The request body, parsed once. Read-only: to change it, call `rewrite`. Empty until read. */
  readonly payload: Readonly<Payload>
  /** Replaces fields of the payload; later layers and the backend see the change. */
  rewrite(change: Partial<Payload>): void
  /** Bytes to send upstream: the client's own bytes until someone called `rewrite`. */
  wire(): Uint8Array<ArrayBuffer>
  /** The same for another payload: a form stays a form, numbers keep their digits. */
  wireOf(payload: Readonly<Payload>): Uint8Array<ArrayBuffer>
  /** What `wire()` is: JSON, or the client's multipart form with its boundary. */
  readonly contentType: string
  /** The model as resolved from names, aliases and wildcards. Undefined until the body is read. */
  readonly model: ResolvedModel | undefined
  /** Who is asking. `anonymous` until `auth` has run. */
  principal: Principal
  phase: Phase
  /** Where it stands while it waits, for clients that ask to be told; undefined when there is nothing to tell. */
  progress: (() => Progress) | undefined
  /** Who answered, as `backend/model`; empty as long as nobody did. For reports. */
  target: string
  /** Tokens spent on behalf of this request, summed over tool rounds and retries. */
  readonly usage: Usage
  /** Headers to add to the response. The kernel merges them once, at the very end. */
  readonly headers: AnswerHeaders
  /** Watch the response stream without changing or delaying it. */
  observe(observer: StreamObserver): void
  /** Runs once when the last byte has left, the client has gone, or the request has failed. */
  onSettled(listener: (outcome: Outcome) => void | Promise<void>): void
  /** Keeps the answer out of every cache: it is not what the same request would usually get. The first reason stays. */
  keepOut(why: string): void
  /** Why the answer is kept out of every cache; undefined as long as nobody said so. */
  readonly keptOut: string | undefined
  /**
   * A context for running the layers below apart from this request: `next(run.ctx)`. It is the same request, but with a
   * payload, signal, observers and settled listeners of its own, so that the run goes on when this client has left and ends when
   * the caller says so. For whoever shares one answer among several requests.
   */
  detach(): Detached
  /** Leaves a line for `explain`, the request log and the panel. */
  note(decision: Decision): void
}

/** What can be told to a client that waits. */
export interface Progress {
  readonly state: 'queued' | 'loading' | 'waiting'
  /** The next to go is 1. */
  readonly queue_position?: number
  /** Until the model is loaded, as far as earlier loads tell. */
  readonly eta_ms?: number
}

/** A run of the layers below that has an end of its own. Whoever began it must settle it. */
export interface Detached {
  readonly ctx: Context
  /** Ends it: what happens below is stopped. */
  abort(reason: unknown): void
  /** Shows bytes of the answer to the observers below. */
  chunk(bytes: Uint8Array): void
  /** Tells the observers and settled listeners below how it ended. Only the first call counts. */
  settle(outcome: Outcome): void
}

/** A request to a route beside the model API. */
export interface RouteContext extends Context {
  /** Path parameters, percent-decoded. A trailing wildcard is `*`. */
  readonly params: Readonly<Record<string, string>>
}

/** The caller as `auth` knows it. Never holds the secret itself. */
export interface Principal {
  readonly id: string
  /** `open`: the gateway asks nobody for a key. `static`: the `API_KEY`. `key`: a managed key. */
  readonly kind: 'anonymous' | 'open' | 'static' | 'key' | 'admin'
  /** The managed key behind it. */
  readonly key?: IndexedKey
  /** Whether it may use the model of this name; left out, it may use all. */
  readonly mayUse?: (model: string) => boolean
  /** Whether this caller's answers may be kept for others (`all`), for itself (`key`) or not at all (`off`). */
  readonly cacheScope?: 'key' | 'all' | 'off'
}

/** Nobody yet. The kernel lets no `anonymous` caller past a path that needs a key. */
export const anonymous: Principal = { id: 'anonymous', kind: 'anonymous' }
