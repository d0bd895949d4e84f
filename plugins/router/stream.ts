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
  ctx.observe(usageObserver(ctx.usage))
  const renamer = isEventStream(response) ? createRenamer(model.asked) : asIs
  return open(response, { ...renamer, started: true, failure: undefined }, watchdog, isEventStream(response) ? { ...streamHeaders } : {})
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
  watchdog.handOver()
  const kept = forwardable(response.headers)
  for (const name in headers) kept.set(name, headers[name] as string)
  return new Response(flow(first, reader, filter, watchdog), { status: response.status, headers: kept })
}

/** Reads to the first real event; the bytes so far, comments included, are still to be forwarded. */
async function readUntilStarted(reader: Reader, filter: Filter, watchdog: Watchdog): Promise<{ bytes: Uint8Array; done: boolean }> {
  let bytes: Uint8Array = nothing
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw brokenOff(cause, watchdog.signal)
    })
    const part = done ? filter.end() : filter.feed(value)
    watchdog.touch()
    bytes = bytes.length === 0 ? part : Buffer.concat([bytes, part])
    if (done || filter.failure || (filter.started && bytes.length > 0)) return { bytes, done }
  }
}

function flow(first: { bytes: Uint8Array; done: boolean }, reader: Reader, filter: Filter, watchdog: Watchdog): ReadableStream<Uint8Array> {
  let pending: Uint8Array | undefined = first.bytes
  let ended = first.done

  const finish = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    watchdog.stop()
    controller.close()
  }
  const fail = (controller: ReadableStreamDefaultController<Uint8Array>, error: GatewayError) => {
    controller.error(error)
    watchdog.abort(error)
    reader.cancel(error).catch(() => {})
  }

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (pending) {
          if (pending.length > 0) controller.enqueue(pending)
          pending = undefined
          if (ended) return finish(controller)
          return
        }
        try {
          for (;;) {
            const { done, value } = await reader.read()
            watchdog.touch()
            const bytes = done ? filter.end() : filter.feed(value)
            ended = done
            if (bytes.length > 0) controller.enqueue(bytes)
            if (filter.failure) return fail(controller, midStream(filter.failure))
            if (done) return finish(controller)
            if (bytes.length > 0) return
          }
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
  ) // nothing is read ahead: the client's pace is the backend's pace
}
