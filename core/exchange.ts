import { clientLeft, openAbort } from './abort.ts'
import type { Context, Progress } from './context.ts'
import { errorEvent, errorResponse, GatewayError } from './errors.ts'
import { isEventStream, isJson, streamHeaders } from './http/headers.ts'
import { type Outcome, relay } from './http/observe.ts'
import { type Arrival, type ContextOptions, openContext, type SocketHooks } from './open-context.ts'

/** What every exchange of a house shares. */
export interface ExchangeOptions extends ContextOptions {
  readonly heartbeatMs: number
  /** The longest a request may take from start to end; Infinity for none. */
  readonly totalMs: number
  readonly newId: () => string
  /** Takes the secrets of the config out of a message. */
  readonly hideSecrets: (message: string) => string
}

/** One request and its answer, kernel side. */
export interface Exchange {
  readonly ctx: Context
  /** `performance.now()` when it began. */
  readonly openedAt: number
  /** The same when its answer began; 0 as long as it has not. */
  readonly answeredAt: number
  /** What comes first: the response, or the time for a heartbeat when a stream was asked for and nothing has come. */
  orHeartbeat(pending: Promise<Response>): Promise<Response | 'heartbeat'>
  /** Ends it from inside the house. */
  cancel(reason: GatewayError): void
  answer(response: Response): Response
  /** An event stream whose content is still on its way. */
  answerEarly(pending: Promise<Response>): Response
  fail(error: unknown): Response
}

/** Builds the context, collects what plugins leave behind, closes the books once. */
export function openExchange(arrival: Arrival, options: ExchangeOptions, socket: SocketHooks, onEnd: (status: number) => void): Exchange {
  const { request, operation, verbatim = false } = arrival
  const id = requestId(request.headers) ?? options.newId()
  const abort = openAbort(request)
  let settled = false
  let sent = 0 // the status that left, for the log
  let answeredAt = 0
  let heartbeatTimer: Timer | undefined
  let onDue: (() => void) | undefined
  const withoutSecrets = (error: unknown) => {
    if (!(error instanceof GatewayError)) return error
    const message = options.hideSecrets(error.message)
    return message === error.message ? error : new GatewayError(error.status, error.type, error.code, message, error.extra)
  }

  const tellsProgress = request.headers.get('x-gatehouse-progress') === '1'
  const comment = () => progressComment(ctx.progress?.() ?? { state: 'waiting' })
  const totalTimer = Number.isFinite(options.totalMs)
    ? setTimeout(
        () => abort.abort(new GatewayError(504, 'server_error', 'timeout_total', 'The request took longer than it may.')),
        options.totalMs,
      )
    : undefined

  const opened = openContext(arrival, id, abort, options, socket, () => {
    heartbeatTimer = setTimeout(() => onDue?.(), tellsProgress ? Math.min(progressEveryMs, options.heartbeatMs) : options.heartbeatMs)
  })
  const { ctx, observers } = opened
  const { headers } = ctx
  headers.set('x-request-id', id)

  const settle = (outcome: Outcome) => {
    if (settled) return
    settled = true
    ctx.phase = 'settled'
    clearTimeout(totalTimer)
    clearTimeout(heartbeatTimer)
    abort.close()
    if (outcome !== 'complete') abort.abort(clientLeft)
    opened.settle(outcome)
    onEnd(outcome === 'aborted' ? clientLeft.status : sent)
  }

  const stream = (content: ReadableStream<Uint8Array> | Promise<ReadableStream<Uint8Array> | null>, isEvents: boolean) => {
    const waits = content instanceof Promise
    if (!waits) ctx.phase = 'streaming'
    return relay(content, {
      observers,
      heartbeatMs: isEvents ? options.heartbeatMs : undefined,
      ...(waits && tellsProgress && { wait: { everyMs: Math.min(progressEveryMs, options.heartbeatMs), comment } }),
      signal: abort.signal,
      lastWords: error => {
        if (error === clientLeft) return
        if (!(error instanceof GatewayError)) ctx.log.error({ err: error }, 'stream failed')
        return isEvents ? errorEvent(withoutSecrets(error), id, operation) : undefined
      },
      onThrow: err => ctx.log.error({ err }, 'stream observer failed'),
      onEnd: outcome => settle(outcome === 'failed' && abort.reason() === clientLeft ? 'aborted' : outcome),
    })
  }

  return {
    ctx,
    openedAt: performance.now(),
    get answeredAt() {
      return answeredAt
    },
    cancel: abort.abort,

    orHeartbeat: pending =>
      new Promise((resolve, reject) => {
        onDue = () => resolve('heartbeat')
        pending.then(resolve, reject)
      }),

    answer(response) {
      clearTimeout(heartbeatTimer)
      if (!(response instanceof Response) || response.status < 200 || response.bodyUsed) {
        throw new Error('a plugin answered with something that is no unused response')
      }
      sent = response.status
      answeredAt = performance.now()
      const answered = response.headers
      headers.putInto(answered)
      if ((isJson(response) && !verbatim) || request.method === 'HEAD' || !response.body) {
        settle('complete')
        return response
      }
      return new Response(stream(response.body, isEventStream(response) && !verbatim), { status: response.status, headers: answered })
    },

    answerEarly(pending) {
      sent = 200
      for (const [name, value] of Object.entries(streamHeaders)) headers.set(name, value)
      const answered = new Headers()
      headers.putInto(answered)
      const content = pending.then(eventsOf)
      content.then(
        () => {
          ctx.phase = 'streaming'
        },
        () => {}, // told by the relay
      )
      return new Response(stream(content, true), { headers: answered })
    },

    fail(thrown) {
      clearTimeout(heartbeatTimer)
      // whatever broke on the way: when the client has left, or the house ended it, that is why
      const error = abort.reason() ?? thrown
      if (!(error instanceof GatewayError)) ctx.log.error({ err: error }, 'request failed')
      const response = errorResponse(withoutSecrets(error), id)
      sent = response.status
      try {
        headers.putInto(response.headers)
      } catch {
        // what a plugin set is no header: that may be the very error that is told here
      }
      settle(error === clientLeft ? 'aborted' : 'failed')
      return response
    },
  }
}

/** So often a client that asked for it hears where its request stands. */
const progressEveryMs = 1000

const encoder = new TextEncoder()
/** `: progress {"state":"queued","queue_position":3}`: to others than those who asked it is a comment. */
const progressComment = (progress: Progress) => encoder.encode(`: progress ${JSON.stringify(progress)}\n\n`)

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
