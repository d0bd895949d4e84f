import type { Operation, Payload } from '../openai.ts'

/**
 * One upstream that serves models. Whatever it speaks natively, it answers in the OpenAI dialect.
 * Adapters hold no per-request state and never retry: choosing again is the router's business.
 */
export interface Backend {
  /** Name from the config file, for logs and metrics. Never shown to clients without a key. */
  readonly name: string
  /** The kind of server: `ollama`, `openai`, `vllm`, `llamacpp`, `openai-compatible`, `echo`, or a plugin's own word. */
  readonly type: string
  /** How long the router waits for this backend; what is left out comes from the config's `timeouts`. */
  readonly timeouts?: Partial<BackendTimeouts>
  /** Requests that one of its models gets at a time; undefined when that need not be limited. */
  slotsOf?(model: string): Slots | undefined
  /**
   * For servers that run only when they are needed: the one that serves a model, started if it does not run. Whoever has it
   * must release it. Rejects with the reason of the signal, or with a `GatewayError`.
   */
  start?(model: string, signal: AbortSignal): Promise<Started>
  /** True when the backend can take this call. The router answers 400 for what nobody speaks. */
  speaks(operation: Operation): boolean
  /**
   * Sends one call and resolves as soon as the response headers are in; the body is still flowing.
   * An upstream that answers with an error status resolves, with the error in OpenAI shape.
   * Throws a `GatewayError` (400, 502, 503, 504) only when there was no answer at all.
   * Fields it could not pass on are named in the answer's `x-gatehouse-ignored` header.
   */
  send(call: Call): Promise<Response>
  /** The models this backend can serve right now. Throws a `GatewayError` when it cannot be asked. */
  models(signal: AbortSignal): Promise<ModelInfo[]>
  /** Resolves when the backend would accept a call, throws a `GatewayError` with the reason when not. */
  probe(signal: AbortSignal): Promise<void>
  /**
   * The tokens that this backend would count for the prompt of a call, text alone; undefined when it cannot tell for this
   * one. Throws a `GatewayError` when it cannot be asked.
   */
  tokenize?(prompt: CountedPrompt): Promise<number | undefined>
  /** Stops child processes and idle connections. */
  close?(): Promise<void>
}

/** Requests that a model gets at a time. */
export interface Slots {
  readonly slots: number
  /** Tokens that all of them may have together, where they share one memory. */
  readonly sharedTokens?: number | undefined
}

/** A server that was started for a request, for as long as that lasts. */
export interface Started {
  readonly backend: Backend
  /** Calls back when the server is gone before its time, with an error for the client, until what it returns is called. */
  onGone(listener: (reason: unknown) => void): () => void
  /** Twice is once. */
  release(): void
}

/** What a backend needs to know of a request to count it. */
export type CountedPrompt = Pick<Call, 'operation' | 'model' | 'payload' | 'signal'>

/** Limits in milliseconds. Infinity means none. */
export interface BackendTimeouts {
  /** From the moment the backend has the request to its first byte. */
  readonly firstTokenMs: number
  /** Between two bytes of an answer. */
  readonly idleMs: number
}

/** What a backend needs to know of a request; deliberately far less than `Context`. */
export interface Call {
  readonly requestId: string
  readonly operation: Operation
  /** The path the client used, for operations that cover several (`/v1/audio/speech`). */
  readonly path: string
  /** The model's name at this backend, which may differ from the one the client asked for. */
  readonly model: string
  /** The request with `model` already being the name at this backend. */
  readonly payload: Readonly<Payload>
  /** Headers of the client that mean something to a backend (`anthropic-version`, `traceparent`), and no others. */
  readonly headers: Readonly<Record<string, string>>
  /** The content type of `wire()`; JSON unless the client sent a form. */
  readonly contentType: string
  /** The body to send when the backend speaks OpenAI and needs no change. Already carries `model`. */
  wire(): Uint8Array<ArrayBuffer>
  readonly signal: AbortSignal
}

export interface ModelInfo {
  readonly id: string
  readonly ownedBy: string
  /** Unix seconds. */
  readonly created?: number
  readonly contextLength?: number
}
