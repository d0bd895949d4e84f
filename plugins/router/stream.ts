import {
  type Context,
  createNormaliser,
  createRenamer,
  forwardable,
  type GatewayError,
  isEventStream,
  type ResolvedModel,
  type StreamFailure,
  streamHeaders,
  usageObserver,
} from 'gatehouse'
import { wantsUsage } from './call.ts'
import { brokenStream, type Failure } from './failure.ts'
import type { Watchdog } from './watchdog.ts'
import { brokenOff, midStream } from './words.ts'

/** What is done with the bytes of a stream on their way. */
interface Filter {
  feed(chunk: Uint8Array): Uint8Array
  end(): Uint8Array
  readonly started: boolean
  /** The client has all it will get. */
  readonly done: boolean
  readonly failure: StreamFailure | undefined
}

/** A chat or completion stream, kept to the wire rules. */
export function eventStream(
  ctx: Context,
  operation: 'chat.completions' | 'completions',
  model: ResolvedModel,
  response: Response,
  watchdog: Watchdog,
): Promise<Response | Failure> {
  const normaliser = createNormaliser({
    operation,
    model: model.asked,
    includeUsage: wantsUsage(ctx.payload),
    usage: ctx.usage,
    newId: () => crypto.randomUUID(),
  })
  return open(response, normaliser, watchdog, { ...streamHeaders })
}

/** A stream in a dialect that is passed on as it is: its usage is read, the model named as the client knows it. */
export function passedStream(ctx: Context, model: ResolvedModel, response: Response, watchdog: Watchdog): Promise<Response | Failure> {
  const events = isEventStream(response)
  const renamer = events ? createRenamer(model.asked) : asIs
  const meter = usageObserver(ctx.usage)
  const filter: Filter = {
    feed(chunk) {
      meter.chunk?.(chunk)
      return renamer.feed(chunk)
    },
    end() {
      meter.end?.('complete')
      return renamer.end()
    },
    started: true,
    done: false,
    failure: undefined,
  }
  return open(response, filter, watchdog, events ? { ...streamHeaders } : {})
}

const asIs = { feed: (chunk: Uint8Array) => chunk, end: () => nothing }

const nothing = new Uint8Array(0)

type Reader = Pick<ReadableStreamDefaultReader<Uint8Array>, 'read' | 'cancel'>

async function open(response: Response, filter: Filter, watchdog: Watchdog, headers: Record<string, string>): Promise<Response | Failure> {
  const reader = response.body?.getReader() as Reader | undefined
  if (!reader) return brokenStream({ message: 'The model backend sent an empty answer.' })
  const first = await readUntilStarted(reader, filter, watchdog)
  if (filter.failure) {
    watchdog.abort(filter.failure)
    return brokenStream(filter.failure)
  }
  watchdog.begun()
  watchdog.rest()
  watchdog.handOver()
  const kept = forwardable(response.headers)
  for (const name in headers) kept.set(name, headers[name] as string)
  return new Response(flow(first, reader, filter, watchdog), { status: response.status, headers: kept })
}

/** Reads to the first real event; the bytes so far, comments included, are still to be forwarded. */
async function readUntilStarted(reader: Reader, filter: Filter, watchdog: Watchdog): Promise<Part> {
  let bytes: Uint8Array = nothing
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw brokenOff(cause, watchdog.signal)
    })
    const part = done ? filter.end() : filter.feed(value)
    watchdog.touch()
    bytes = bytes.length === 0 ? part : Buffer.concat([bytes, part])
    if (done || filter.done || filter.failure || (filter.started && bytes.length > 0)) return { bytes, ended: done }
  }
}

/** The client has its `[DONE]`; what the backend still sends is read off for a moment, so that its connection can be used again. */
function readOff(reader: Reader, watchdog: Watchdog): void {
  watchdog.stop()
  const timer = setTimeout(() => watchdog.abort(new Error('the answer was over')), lingerMs)
  const read = async () => {
    let bytes = 0
    for (let part = await reader.read(); !part.done && bytes < lingerBytes; part = await reader.read()) bytes += part.value?.length ?? 0
  }
  read()
    .catch(() => {})
    .finally(() => {
      clearTimeout(timer)
      reader.cancel().catch(() => {}) // over already, or more than it is worth
    })
}

const lingerMs = 1000
const lingerBytes = 64 * 1024

/** What is read at once, and whether the backend had ended by then. */
interface Part {
  readonly bytes: Uint8Array
  readonly ended: boolean
}

/** The rest of the stream. Nothing is read ahead: the client's pace is the backend's pace. */
function flow(first: Part, reader: Reader, filter: Filter, watchdog: Watchdog): ReadableStream<Uint8Array> {
  let waiting: Part | undefined = first

  const next = async (): Promise<Part> => {
    for (;;) {
      watchdog.touch()
      const { done, value } = await reader.read()
      watchdog.rest() // a client that reads slowly is not a backend that is silent
      const bytes = done ? filter.end() : filter.feed(value)
      if (bytes.length > 0 || done || filter.done || filter.failure) return { bytes, ended: done }
    }
  }
  const fail = (controller: ReadableStreamDefaultController<Uint8Array>, error: GatewayError) => {
    controller.error(error)
    watchdog.fail(error)
    reader.cancel(error).catch(() => {})
  }

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { bytes, ended } = waiting ?? (await next())
          waiting = undefined
          if (bytes.length > 0) controller.enqueue(bytes)
          if (filter.failure) return fail(controller, midStream(filter.failure))
          if (!ended && !filter.done) return
          controller.close()
          if (ended) watchdog.stop()
          else readOff(reader, watchdog)
        } catch (cause) {
          fail(controller, brokenOff(cause, watchdog.signal))
        }
      },
      cancel(reason) {
        watchdog.abort(reason)
        return reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}
