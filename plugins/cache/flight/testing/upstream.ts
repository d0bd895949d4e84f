/** A generation in the hands of a test. It logs what it was asked for, and what became of it. */
export interface Upstream {
  /** What the layer below answers. */
  answer(): Promise<Response>
  /** Headers are there. */
  begin(): void
  /** One chunk; false when nobody takes it any more. */
  send(text: string): boolean
  end(): void
  break(error: Error): void
  /** Instead of beginning. */
  refuse(error: Error): void
  readonly begun: boolean
  readonly asked: number
  /** Chunks that were read. */
  readonly taken: number
  /** How often the answer was cancelled. */
  readonly cancelled: number
  /** Ended, broken, refused or cancelled: it makes nothing any more. */
  readonly over: boolean
}

export function createUpstream(): Upstream {
  const opened = Promise.withResolvers<Response>()
  opened.promise.catch(() => {})
  const waiting: Uint8Array[] = []
  let wake = () => {}
  let asked = 0
  let taken = 0
  let cancelled = 0
  let begun = false
  let ended = false
  let failure: Error | undefined

  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        while (waiting.length === 0 && !ended && !failure) {
          await new Promise<void>(resolve => {
            wake = resolve
          })
        }
        const next = waiting.shift()
        if (next) {
          taken++
          controller.enqueue(next)
        } else if (failure) controller.error(failure)
        else if (cancelled === 0) controller.close()
      },
      cancel() {
        cancelled++
        wake()
      },
    },
    { highWaterMark: 0 },
  )

  return {
    answer() {
      asked++
      return opened.promise
    },
    begin() {
      if (begun || failure) return
      begun = true
      opened.resolve(new Response(body, { headers: { 'content-type': 'text/event-stream' } }))
    },
    send(text) {
      if (cancelled > 0 || ended || failure) return false
      waiting.push(Buffer.from(text))
      wake()
      return true
    },
    end() {
      ended = true
      wake()
    },
    break(error) {
      failure = error
      wake()
    },
    refuse(error) {
      failure = error
      opened.reject(error)
    },
    get begun() {
      return begun
    },
    get asked() {
      return asked
    },
    get taken() {
      return taken
    },
    get cancelled() {
      return cancelled
    },
    get over() {
      return ended || failure !== undefined || cancelled > 0
    },
  }
}
