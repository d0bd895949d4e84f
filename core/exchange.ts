import type { Logger } from 'pino'
import { type Access, anonymous, type Context, type Phase } from './context.ts'
import { errorEvent, errorResponse, GatewayError } from './errors.ts'
import { checkPath } from './http/check.ts'
import { isEventStream, isJson, streamHeaders } from './http/headers.ts'
import { type Outcome, relay, type StreamObserver } from './http/observe.ts'
import { type ReadRequest, readRequest, wireWith } from './http/request.ts'
import type { Models, ResolvedModel } from './models.ts'
import type { Operation, Payload } from './openai.ts'
import type { Decision } from './plugin.ts'

/** What every exchange of a house shares. */
export interface ExchangeOptions {
  readonly log: Logger
  readonly models: Pick<Models, 'resolve'>
  readonly bodyLimit: number
  readonly heartbeatMs: number
  /** The longest a request may take from start to end; Infinity for none. */
  readonly totalMs: number
  readonly newId: () => string
  /** Takes the secrets of the config out of a message. */
  readonly hideSecrets: (message: string) => string
  /** Called for each part of a large body. */
  readonly onChunk?: () => void
  /** Called when the body is in. */
  readonly onRead?: () => void
}

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

/** One request and its answer, kernel side. */
export interface Exchange {
  readonly ctx: Context
  /** `performance.now()` when it began. */
  readonly openedAt: number
  /** Resolves when a stream was asked for and nothing has come for so long that a heartbeat is due. */
  readonly heartbeatDue: Promise<'heartbeat'>
  /** Ends it from inside the house. */
  cancel(reason: GatewayError): void
  answer(response: Response): Response
  /** An event stream whose content is still on its way. */
  answerEarly(pending: Promise<Response>): Response
  fail(error: unknown): Response
}

type Listener = (outcome: Outcome) => void | Promise<void>

const clientLeft = new GatewayError(499, 'client_closed_request', 'client_closed_request', 'The client closed the request.')

/** Builds the context, collects what plugins leave behind, closes the books once. */
export function openExchange(arrival: Arrival, options: ExchangeOptions, onEnd: (ctx: Context, status: number) => void): Exchange {
  const { request, url, ip, operation, access, limited } = arrival
  const id = requestId(request.headers) ?? options.newId()
  const abort = new AbortController()
  const headers = new Headers({ 'x-request-id': id })
  const observers: StreamObserver[] = []
  const listeners: Listener[] = []
  let log: Logger | undefined
  let body: ReadRequest | undefined
  let bytes: Uint8Array<ArrayBuffer> | undefined // what `wire()` gives; dropped by `rewrite`
  let payload: Payload = nothingRead
  let model: ResolvedModel | undefined
  let settled = false
  let sent = 0 // the status that left, for the log
  let heartbeatTimer: Timer | undefined
  let due: (value: 'heartbeat') => void
  const heartbeatDue = new Promise<'heartbeat'>(resolve => {
    due = resolve
  })
  const logger = () => {
    log ??= options.log.child({ request_id: id })
    return log
  }

  const withoutSecrets = (error: unknown) => {
    if (!(error instanceof GatewayError)) return error
    const message = options.hideSecrets(error.message)
    return message === error.message ? error : new GatewayError(error.status, error.type, error.code, message, error.extra)
  }

  const onClientLeft = () => abort.abort(clientLeft)
  request.signal.addEventListener('abort', onClientLeft, { once: true })
  const totalTimer = Number.isFinite(options.totalMs)
    ? setTimeout(
        () => abort.abort(new GatewayError(504, 'server_error', 'timeout_total', 'The request took longer than it may.')),
        options.totalMs,
      )
    : undefined

  const ctx: Context = {
    id,
    request,
    url,
    ip,
    operation,
    access,
    limited,
    headers,
    principal: anonymous,
    phase: 'reading' as Phase,
    usage: { promptTokens: 0, completionTokens: 0 },
    signal: abort.signal,
    get log() {
      return logger()
    },
    async read() {
      if (body) return payload
      if (arrival.body === 'operation') checkPath(url.pathname)
      body = await orAborted(
        readRequest(request, { as: arrival.body, operation, limit: options.bodyLimit, onChunk: options.onChunk }),
        abort.signal,
      )
      ;({ payload, bytes } = body)
      options.onRead?.()
      if (arrival.body !== 'operation') return payload
      if (payload.stream === true) heartbeatTimer = setTimeout(due, options.heartbeatMs, 'heartbeat' as const)
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
    note(decision: Decision) {
      if (options.log.isLevelEnabled('debug')) logger().debug({ decision }, 'decision')
    },
  }

  const settle = (outcome: Outcome) => {
    if (settled) return
    settled = true
    ctx.phase = 'settled'
    clearTimeout(totalTimer)
    clearTimeout(heartbeatTimer)
    request.signal.removeEventListener('abort', onClientLeft)
    if (outcome !== 'complete' && !abort.signal.aborted) abort.abort(clientLeft)
    for (const listener of listeners) {
      try {
        Promise.resolve(listener(outcome)).catch(err => logger().error({ err }, 'settled listener failed'))
      } catch (err) {
        logger().error({ err }, 'settled listener failed')
      }
    }
    onEnd(ctx, outcome === 'aborted' ? clientLeft.status : sent)
  }

  const stream = (content: ReadableStream<Uint8Array> | Promise<ReadableStream<Uint8Array> | null>, isEvents: boolean) => {
    ctx.phase = 'streaming'
    return relay(content, {
      observers,
      heartbeatMs: isEvents ? options.heartbeatMs : undefined,
      signal: abort.signal,
      lastWords: error => {
        if (error === clientLeft) return
        if (!(error instanceof GatewayError)) logger().error({ err: error }, 'stream failed')
        return isEvents ? errorEvent(withoutSecrets(error), id, operation) : undefined
      },
      onThrow: err => logger().error({ err }, 'stream observer failed'),
      onEnd: outcome => settle(outcome === 'failed' && abort.signal.reason === clientLeft ? 'aborted' : outcome),
    })
  }

  return {
    ctx,
    openedAt: performance.now(),
    heartbeatDue,
    cancel: reason => abort.abort(reason),

    answer(response) {
      clearTimeout(heartbeatTimer)
      if (!(response instanceof Response) || response.status < 200 || response.bodyUsed) {
        throw new Error('a plugin answered with something that is no unused response')
      }
      sent = response.status
      const answered = response.headers
      for (const [name, value] of headers) answered.set(name, value)
      if (isJson(response) || request.method === 'HEAD' || !response.body) {
        settle('complete')
        return response
      }
      return new Response(stream(response.body, isEventStream(response)), { status: response.status, headers: answered })
    },

    answerEarly(pending) {
      sent = 200
      for (const [name, value] of Object.entries(streamHeaders)) headers.set(name, value)
      return new Response(stream(pending.then(eventsOf), true), { headers })
    },

    fail(thrown) {
      clearTimeout(heartbeatTimer)
      // whatever broke on the way: when the client has left, or the house ended it, that is why
      const error = abort.signal.aborted ? abort.signal.reason : thrown
      if (!(error instanceof GatewayError)) logger().error({ err: error }, 'request failed')
      const response = errorResponse(withoutSecrets(error), id)
      sent = response.status
      for (const [name, value] of headers) response.headers.set(name, value)
      settle(error === clientLeft ? 'aborted' : 'failed')
      return response
    },
  }
}

/** The result of `work`, unless the signal aborts first. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

const nothingRead: Payload = { model: '' }

/** A client's own id counts when it can be put into a header and a log line as it is. */
function requestId(headers: Headers): string | undefined {
  const given = headers.get('x-request-id')
  return given !== null && /^[A-Za-z0-9._-]{1,128}$/.test(given) ? given : undefined
}

/** The rest of a stream whose 200 has already left: an answer that is JSON, such as an error, becomes one event. */
async function eventsOf(response: Response): Promise<ReadableStream<Uint8Array> | null> {
  if (response.ok && isEventStream(response)) return response.body
  const json = await response.json().catch((cause: unknown) => {
    throw new GatewayError(502, 'server_error', 'bad_gateway', 'The answer is not one that a stream can carry.', { cause })
  })
  return new Response(`data: ${JSON.stringify(json)}\n\n`).body
}
