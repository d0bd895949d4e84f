/** How a request ended. */
export type Outcome = 'complete' | 'aborted' | 'failed'

/** Watches a stream. It is handed the very bytes being forwarded and must not change them. */
export interface StreamObserver {
  chunk?(bytes: Uint8Array): void
  /** Exactly once: after the last byte, when the client left, or when the upstream broke. */
  end?(outcome: Outcome): void
}

export interface RelayOptions {
  readonly observers: readonly StreamObserver[]
  /** Silence after which an SSE comment is sent; undefined for answers that are not event streams. */
  readonly heartbeatMs: number | undefined
  /** What is sent instead, and how often, as long as `body` is on its way. */
  readonly wait?: { readonly everyMs: number; readonly comment: () => Uint8Array }
  /** Ends the stream from inside the house; its reason goes to `lastWords`. */
  readonly signal: AbortSignal
  /** The bytes to send when the stream breaks; the headers have already left. */
  readonly lastWords: (error: unknown) => Uint8Array | undefined
  /** Hears of an observer that threw. That observer is dropped; the stream goes on. */
  readonly onThrow: (error: unknown) => void
  readonly onEnd: (outcome: Outcome) => void
}

/** Shows something to every observer. Those that throw are reported and left out of the list that is returned. */
export function tellObservers(
  observers: readonly StreamObserver[],
  visit: (observer: StreamObserver) => void,
  onThrow: (error: unknown) => void,
): readonly StreamObserver[] {
  let left = observers
  for (const observer of observers) {
    try {
      visit(observer)
    } catch (error) {
      left = left.filter(other => other !== observer)
      onThrow(error)
    }
  }
  return left
}

type Reader = Pick<ReadableStreamDefaultReader<Uint8Array>, 'read' | 'cancel'>

const heartbeat = new TextEncoder().encode(': keep-alive\n\n')
const LF = 10
const CR = 13

/**
 * The last stretch to the client: forwards `body` chunk by chunk, the same bytes, tells the observers,
 * fills silence with heartbeats, and ends exactly once. `body` may still be on its way (a model that is
 * loading or thinking): heartbeats are sent meanwhile.
 */
export function relay(
  body: ReadableStream<Uint8Array> | Promise<ReadableStream<Uint8Array> | null>,
  options: RelayOptions,
): ReadableStream<Uint8Array> {
  const { wait, signal, lastWords, onThrow, onEnd } = options
  const beatMs = () => (wait && !reader ? wait.everyMs : options.heartbeatMs)
  let watching = options.observers
  let reader: Reader | undefined
  let ended = false
  let lastSentAt = performance.now()
  let betweenEvents = true // a comment inside an event would tear it apart for simple clients
  let timer: Timer | undefined

  const tell = (visit: (observer: StreamObserver) => void) => {
    watching = tellObservers(watching, visit, onThrow)
  }
  const end = (outcome: Outcome) => {
    ended = true
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
    tell(observer => observer.end?.(outcome))
    onEnd(outcome)
  }
  const giveUp = (error: unknown) => {
    if (ended) return
    end('failed')
    const bytes = lastWords(error)
    try {
      if (bytes) {
        streamController.enqueue(bytes)
        streamController.close()
      } else streamController.error() // closed cleanly, half a file would look whole; the runtime prints what is given here
    } catch {
      // the client has gone in the same moment; nobody is left to tell
    }
    leave(error)
  }
  const leave = (reason: unknown) => {
    if (reader) reader.cancel(reason).catch(() => {})
    else
      Promise.resolve(body).then(
        late => late?.cancel(reason),
        () => {},
      )
  }
  const onAbort = () => giveUp(signal.reason)
  const beat = () => {
    const idle = performance.now() - lastSentAt
    const everyMs = beatMs() as number
    const due = everyMs - idle
    if (due <= 0 && betweenEvents && (streamController.desiredSize ?? -1) >= 0) {
      streamController.enqueue(wait && !reader ? wait.comment() : heartbeat)
      lastSentAt = performance.now()
    }
    timer = setTimeout(beat, due > 0 ? due : everyMs)
  }

  let streamController: ReadableStreamDefaultController<Uint8Array>
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        streamController = controller
        const firstMs = beatMs()
        if (firstMs !== undefined) timer = setTimeout(beat, firstMs)
        // Bun holds the headers back until the first byte; who waits for the body has waited long enough
        if (firstMs !== undefined && body instanceof Promise) controller.enqueue(wait?.comment() ?? heartbeat)
        if (signal.aborted) queueMicrotask(onAbort)
        else signal.addEventListener('abort', onAbort, { once: true })
      },
      async pull(controller) {
        try {
          if (!reader) {
            const opened = body instanceof Promise ? await body : body
            if (ended) return
            if (!opened) {
              end('complete')
              return controller.close()
            }
            reader = opened.getReader() as Reader
          }
          const { done, value } = await reader.read()
          if (ended) return
          if (done) {
            end('complete')
            return controller.close()
          }
          if (watching.length > 0) tell(observer => observer.chunk?.(value))
          if (options.heartbeatMs !== undefined) {
            lastSentAt = performance.now()
            betweenEvents = endsEvent(value)
          }
          controller.enqueue(value)
        } catch (error) {
          giveUp(error)
        }
      },
      cancel(reason) {
        if (ended) return
        end('aborted')
        leave(reason)
      },
    },
    { highWaterMark: 0 },
  ) // nothing is read ahead: the client's pace is the backend's pace
}

const endsEvent = (bytes: Uint8Array): boolean => {
  const last = bytes.length - 1
  if (bytes[last] !== LF) return false
  return bytes[last - 1] === LF || (bytes[last - 1] === CR && bytes[last - 2] === LF)
}
