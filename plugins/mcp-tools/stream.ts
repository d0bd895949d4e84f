import { createSseReader, GatewayError, isEventStream } from 'gatehouse'
import { runCalls } from './run-calls.ts'
import { createStreamRound, type StreamedAnswer, type StreamRound } from './stream-round.ts'
import type { LoopOptions } from './whole.ts'

type Reader = Pick<ReadableStreamDefaultReader<Uint8Array>, 'read' | 'cancel'>

/**
 * One event stream of as many turns as the model wants tools of ours. What it says goes out as it comes, our calls stay
 * inside. `leaving` is aborted when nobody wants the stream any more.
 */
export function streamLoop(first: Response, options: LoopOptions, leaving: AbortController): Response {
  let reader: Reader | undefined
  const events = turnAfterTurn(first, options, opened => {
    reader = opened
    leaving.signal.throwIfAborted()
  })
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await events.next()
          if (done) controller.close()
          else controller.enqueue(value)
        } catch (error) {
          controller.error(error)
        }
      },
      async cancel(reason) {
        leaving.abort(reason)
        await (reader ?? first.body)?.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
  return new Response(body, { status: first.status, headers: first.headers })
}

type Opened = (reader: Reader) => void

async function* turnAfterTurn(
  first: Response,
  { turns, offer, calls }: LoopOptions,
  opened: Opened,
): AsyncGenerator<Uint8Array, void, void> {
  const answer: StreamedAnswer = { head: undefined, text: '', usage: undefined }
  const { ctx, progress } = calls
  for (let response = first; ; response = await turns.ask()) {
    if (!isEventStream(response) || !response.body) throw notEvents()
    ctx.phase = 'streaming'
    const round = createStreamRound(answer, offer)
    yield* readTurn(response.body.getReader() as Reader, round, opened)
    if (round.calls.length === 0) return
    const work = runCalls(round.calls, calls)
    if (progress) yield* progress.during(work)
    turns.add(round.message, round.calls, await work)
  }
}

async function* readTurn(reader: Reader, round: StreamRound, opened: Opened): AsyncGenerator<Uint8Array, void, void> {
  const events = createSseReader()
  opened(reader)
  for (;;) {
    const { done, value } = await reader.read()
    opened(reader)
    const pieces = (done ? events.end() : events.feed(value)).flatMap(event => round.take(event) ?? [])
    if (pieces.length > 0) yield pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces)
    if (done) return
  }
}

const notEvents = () => new GatewayError(502, 'server_error', 'bad_gateway', 'The answer after a tool call is not a stream.')
