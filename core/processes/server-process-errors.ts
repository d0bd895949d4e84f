import { GatewayError } from '../errors.ts'

/** Why a model's process is down, for the administrator; never for a client. */
export interface ProcessFailure {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly message: string
  /** What it wrote last. */
  readonly lines: readonly string[]
  /** Until then it is not tried again. */
  readonly retryAt: number
}

/** A start that did not end in a server that is well. */
export class StartError extends Error {
  override readonly name = 'StartError'
  constructor(
    message: string,
    /** It was not too late yet, it only took too long. */
    readonly late = false,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

const unavailable = (message: string, retryMs: number | undefined, cause?: unknown) =>
  new GatewayError(503, 'service_unavailable', 'model_unavailable', message, {
    ...(retryMs !== undefined && { headers: { 'retry-after': retryAfter(retryMs) } }),
    neverReached: true,
    cause,
  })

const retryAfter = (ms: number) => String(Math.max(1, Math.ceil(ms / 1000)))

/** It failed to start, or keeps failing. */
export const cannotStart = (model: string, failure: ProcessFailure, restMs: number): GatewayError =>
  unavailable(
    `The model '${model}' could not be started. Try again later; the operator finds the reason in the log.`,
    restMs,
    causeOf(failure),
  )

/** It was still loading when its time was over. */
export const loadTooLong = (model: string, failure: ProcessFailure, restMs: number): GatewayError =>
  new GatewayError(504, 'server_error', 'timeout_load', `The model '${model}' did not finish loading in time.`, {
    headers: { 'retry-after': retryAfter(restMs) },
    neverReached: true,
    cause: causeOf(failure),
  })

const causeOf = ({ message, lines }: ProcessFailure) => new Error([message, ...lines].join('\n'))

/** Somebody has unloaded it while others waited for it or were being answered. */
export const unloaded = (model: string): GatewayError => unavailable(`The model '${model}' was unloaded. Try again.`, 1)

/** Whatever it was answering ends here. */
export const processEnded = (model: string): GatewayError =>
  new GatewayError(502, 'server_error', 'bad_gateway', `The process of the model '${model}' has ended.`)

/** There will never be room for it. The reason has the numbers, and clients may know them. */
export const neverFits = (model: string, reason: string): GatewayError =>
  unavailable(`The model '${model}' cannot be loaded: ${reason}`, undefined)

/** gatehouse is about to end. */
export const stopping = (): GatewayError =>
  new GatewayError(503, 'service_unavailable', 'stopping', 'gatehouse is stopping.', {
    headers: { 'retry-after': '5' },
    neverReached: true,
  })
