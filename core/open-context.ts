import type { Logger } from 'pino'
import { type Access, anonymous, type Context, type Phase } from './context.ts'
import { detach } from './detach.ts'
import { checkPath } from './http/check.ts'
import type { Outcome, StreamObserver } from './http/observe.ts'
import { type ReadRequest, readRequest, wireWith } from './http/request.ts'
import type { Models, ResolvedModel } from './models.ts'
import type { Operation, Payload } from './openai.ts'
import type { Decision } from './plugin.ts'

/** One request as the socket and the route table know it. */
export interface Arrival {
  readonly request: Request
  readonly url: URL
  readonly ip: string
  readonly operation: Operation
  readonly access: Access
  readonly limited: boolean
  /** How the body is read: as a call to a model, as plain JSON, or not parsed at all. */
  readonly body: 'operation' | 'json' | 'raw' | 'none'
}

/** What a context takes from its house. */
export interface ContextOptions {
  readonly log: Logger
  readonly models: Pick<Models, 'resolve'>
  readonly bodyLimit: number
  /** Called for each part of a large body. */
  readonly onChunk?: () => void
  /** Called when the body is in. */
  readonly onRead?: () => void
}

/** What runs when a request is over. */
export type SettledListener = (outcome: Outcome) => void | Promise<void>

/** A context, and what plugins have left on it. */
export interface OpenContext {
  readonly ctx: Context
  readonly observers: readonly StreamObserver[]
  readonly listeners: readonly SettledListener[]
}

/** Builds what one request carries through the pipeline. `onStream` is called when a stream was asked for. */
export function openContext(arrival: Arrival, id: string, signal: AbortSignal, options: ContextOptions, onStream: () => void): OpenContext {
  const { request, url, ip, operation, access, limited } = arrival
  const observers: StreamObserver[] = []
  const listeners: SettledListener[] = []
  let log: Logger | undefined
  let body: ReadRequest | undefined
  let bytes: Uint8Array<ArrayBuffer> | undefined // what `wire()` gives; dropped by `rewrite`
  let payload: Payload = nothingRead
  let model: ResolvedModel | undefined
  let keptOut: string | undefined

  const ctx: Context = {
    id,
    request,
    url,
    ip,
    operation,
    access,
    limited,
    headers: new Headers({ 'x-request-id': id }),
    principal: anonymous,
    phase: 'reading' as Phase,
    usage: { promptTokens: 0, completionTokens: 0 },
    signal,
    get log() {
      log ??= options.log.child({ request_id: id })
      return log
    },
    async read() {
      if (body) return payload
      if (arrival.body === 'operation') checkPath(url.pathname)
      body = await orAborted(
        readRequest(request, { as: arrival.body, operation, limit: options.bodyLimit, onChunk: options.onChunk }),
        signal,
      )
      ;({ payload, bytes } = body)
      options.onRead?.()
      if (arrival.body !== 'operation') return payload
      if (payload.stream === true) onStream()
      model = await options.models.resolve(payload.model)
      ctx.phase = 'waiting'
      return payload
    },
    get payload() {
      return payload
    },
    rewrite(change) {
      payload = { ...payload, ...change }
      bytes = undefined
    },
    wire() {
      bytes ??= wireWith(body, payload)
      return bytes
    },
    wireOf: other => wireWith(body, other),
    get contentType() {
      return body?.contentType ?? 'application/json'
    },
    get model() {
      return model
    },
    observe: observer => {
      observers.push(observer)
    },
    onSettled: listener => {
      listeners.push(listener)
    },
    keepOut(why) {
      keptOut ??= why
    },
    get keptOut() {
      return keptOut
    },
    detach: () => detach(ctx, options.log),
    note(decision: Decision) {
      if (options.log.isLevelEnabled('debug')) ctx.log.debug({ decision }, 'decision')
    },
  }
  return { ctx, observers, listeners }
}

const nothingRead: Payload = { model: '' }

/** The result of `work`, unless the signal aborts first. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
