import type { Logger } from 'pino'
import type { Abort } from './abort.ts'
import { type Access, anonymous, type Context, type Phase } from './context.ts'
import { detach, tellSettled } from './detach.ts'
import { createAnswerHeaders } from './http/answer-headers.ts'
import { checkPath } from './http/check.ts'
import type { Outcome, StreamObserver } from './http/observe.ts'
import { type ReadRequest, readRequest, wireWith } from './http/request.ts'
import { urlOf } from './http/url.ts'
import type { Models, ResolvedModel } from './models.ts'
import type { Operation, Payload } from './openai.ts'
import type { Decision } from './plugin.ts'

/** One request as the socket and the route table know it. */
export interface Arrival {
  readonly request: Request
  /** Of its URL, without the query. */
  readonly path: string
  readonly ip: string
  readonly operation: Operation
  readonly access: Access
  readonly limited: boolean
  /** How the body is read: as a call to a model, as plain JSON, or not parsed at all. */
  readonly body: 'operation' | 'json' | 'raw' | 'none'
  /** Nothing is put into the answer; it may be JSON that comes bit by bit. */
  readonly verbatim?: boolean | undefined
}

/** What a context takes from its house. */
export interface ContextOptions {
  readonly log: Logger
  readonly models: Pick<Models, 'resolve'>
  readonly bodyLimit: number
}

/** What is told to the socket of a request. */
export interface SocketHooks {
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
  /** Tells the listeners how it ended, those of now and those to come. */
  settle(outcome: Outcome): void
}

/** Builds what one request carries through the pipeline. `onStream` is called when a stream was asked for. */
export function openContext(
  arrival: Arrival,
  id: string,
  abort: Pick<Abort, 'signal' | 'orAborted'>,
  options: ContextOptions,
  socket: SocketHooks,
  onStream: () => void,
): OpenContext {
  const { request, path, ip, operation, access, limited } = arrival
  const observers: StreamObserver[] = []
  const listeners: SettledListener[] = []
  let url: URL | undefined
  let log: Logger | undefined
  let body: ReadRequest | undefined
  let bytes: Uint8Array<ArrayBuffer> | undefined // what `wire()` gives; dropped by `rewrite`
  let payload: Payload = nothingRead
  let model: ResolvedModel | undefined
  let keptOut: string | undefined
  let target = ''
  let ended: Outcome | undefined

  const ctx: Context = {
    id,
    request,
    path,
    get url() {
      url ??= urlOf(request)
      return url
    },
    ip,
    operation,
    access,
    limited,
    headers: createAnswerHeaders(),
    principal: anonymous,
    phase: 'reading' as Phase,
    progress: undefined as Context['progress'],
    usage: { promptTokens: 0, completionTokens: 0 },
    get signal() {
      return abort.signal
    },
    get log() {
      log ??= options.log.child({ request_id: id })
      return log
    },
    async read() {
      if (body) return payload
      if (arrival.body === 'operation') checkPath(path)
      const { bodyLimit: limit } = options
      body = await abort.orAborted(readRequest(request, { as: arrival.body, operation, limit, onChunk: socket.onChunk }))
      ;({ payload, bytes } = body)
      socket.onRead?.()
      if (arrival.body !== 'operation') return payload
      if (payload.stream === true) onStream()
      const resolved = options.models.resolve(payload.model)
      model = resolved instanceof Promise ? await resolved : resolved
      ctx.phase = 'waiting'
      return payload
    },
    get target() {
      return target
    },
    set target(answered) {
      target = answered
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
      // a layer may have been waiting for what it gives back here, while the client left
      if (ended) tellSettled([listener], ended, ctx)
      else listeners.push(listener)
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
  return {
    ctx,
    observers,
    settle(outcome) {
      ended = outcome
      tellSettled(listeners, outcome, ctx)
    },
  }
}

const nothingRead: Payload = { model: '' }
