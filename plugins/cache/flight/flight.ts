import { cutAtEvent, type Detached, GatewayError, isEventStream, type MaybePromise } from 'gatehouse'
import type { Recording } from '../memory/recording.ts'

/** How an answer begins. */
export interface Opened {
  readonly status: number
  readonly headers: Headers
  /** All of it; undefined for a stream that is still coming. */
  readonly body: Uint8Array<ArrayBuffer> | undefined
}

/** One generation, and those who read it. */
export interface Flight {
  /** Reads from the first byte on, whenever it joins. */
  join(): Reader
  /** False when nobody may join any more: it is over, everyone has left, or its beginning is no longer there. */
  readonly open: boolean
}

/** One who reads along. Must `leave` in the end, whatever happened. */
export interface Reader {
  /** Rejects for all readers with the same error. */
  readonly opened: Promise<Opened>
  /** The next bytes, undefined behind the last. Rejects with the same error for all when the stream breaks, and after `leave`. */
  read(): MaybePromise<Uint8Array | undefined>
  /** When the last one leaves before the end, the generation is stopped. */
  leave(): void
}

export interface FlightOptions {
  /** What runs the layers below; the flight ends and settles it. */
  readonly run: Detached
  readonly start: () => MaybePromise<Response>
  /** Where a stream is kept while it passes. */
  readonly record: () => Recording
  /** The answer is there as a whole. Errors and other answers that nobody keeps come here too. */
  readonly onWhole: (opened: Opened, recording: Recording | undefined) => void
  /** Nobody can join any more. */
  readonly onClosed: () => void
}

/** How far a reader may fall behind when a stream has become too long to be kept, beyond the longest piece there was. */
export const longestLag = 1024 * 1024

/** What a reader who fell behind gets at once; more would be a large copy for a slow client. */
const mostAtOnce = 64 * 1024

type Source = Pick<ReadableStreamDefaultReader<Uint8Array>, 'read' | 'cancel'>

/** Bytes, and where in the stream they stand. */
interface Piece {
  readonly at: number
  readonly bytes: Uint8Array
}

/** How far a reader is. */
interface Place {
  at: number
  fellBehind: boolean
}

/** Whole events, at least one: whatever ends the answer then, its last words do not stand in the middle of an event. */
function readEvents(recording: Recording, at: number): Uint8Array {
  for (let most = mostAtOnce; ; most *= 2) {
    const bytes = recording.read(at, most)
    const end = cutAtEvent(bytes, bytes.length - 1)
    if (end < bytes.length || at + end === recording.length) return bytes.subarray(0, end)
  }
}

const nobodyLeft = () => new GatewayError(499, 'client_closed_request', 'client_closed_request', 'Every client closed the request.')

const hasLeft = () => new GatewayError(499, 'client_closed_request', 'client_closed_request', 'This client closed the request.')

const tooSlow = () =>
  new GatewayError(
    503,
    'server_error',
    'reader_too_slow',
    'This answer is shared with others who read it much faster, and it is too long to be kept. Ask again.',
  )

/**
 * Runs one generation for several readers. The fastest of them sets the pace: the upstream is read when somebody who has
 * all there is wants more. The others read from the recording, so that nobody holds anybody back.
 */
export function createFlight({ run, start, record, onWhole, onClosed }: FlightOptions): Flight {
  const places = new Set<Place>()
  let state: 'running' | 'complete' | 'broken' = 'running'
  let error: unknown
  let closed = false
  let keeping = true
  let source: Source | undefined
  let recording: Recording | undefined
  let length = 0
  let longestPiece = 0
  let reading: Promise<Piece | undefined> | undefined

  const close = () => {
    if (closed) return
    closed = true
    onClosed()
  }
  const release = () => {
    if (places.size > 0 || state === 'running') return
    recording?.release()
    recording = undefined
  }
  const complete = (opened: Opened) => {
    state = 'complete'
    try {
      onWhole(opened, keeping ? recording : undefined)
    } finally {
      close()
      run.settle('complete')
      release()
    }
  }
  const fail = (cause: unknown, outcome: 'failed' | 'aborted'): void => {
    if (state !== 'running') return
    state = 'broken'
    error = cause
    close()
    run.abort(cause)
    source?.cancel(cause).catch(() => {})
    run.settle(outcome)
    release()
  }

  const open = async (): Promise<Opened> => {
    try {
      const response = await start()
      if (state !== 'running') {
        response.body?.cancel().catch(() => {})
        throw error
      }
      const { status, headers } = response
      if (status === 200 && isEventStream(response) && response.body) {
        source = response.body.getReader() as Source
        recording = record()
        return { status, headers, body: undefined }
      }
      const body = (await response.bytes()) as Uint8Array<ArrayBuffer>
      if (state !== 'running') throw error
      const opened = { status, headers, body }
      complete(opened)
      return opened
    } catch (cause) {
      fail(cause, 'failed')
      throw cause
    }
  }

  /** From here on the stream is only passed on, and who reads much slower than the others is left behind. */
  const stopKeeping = () => {
    keeping = false
    close()
  }
  const trim = () => {
    if (keeping) return
    let last = length
    for (const place of places) {
      if (length - place.at > longestLag + longestPiece && places.size > 1) place.fellBehind = true
      if (!place.fellBehind) last = Math.min(last, place.at)
    }
    recording?.forget(last)
  }

  const advance = (): Promise<Piece | undefined> => {
    reading ??= readOn().finally(() => {
      reading = undefined
    })
    return reading
  }
  const readOn = async (): Promise<Piece | undefined> => {
    try {
      if (!source) await opened
      if (state === 'complete') return // it had come as a whole
      const { done, value } = await (source as Source).read()
      if (state !== 'running') throw error
      if (done) {
        complete(await opened)
        return
      }
      const at = length
      length += value.length
      longestPiece = Math.max(longestPiece, value.length)
      run.chunk(value)
      if (!(recording as Recording).append(value)) stopKeeping()
      trim()
      return { at, bytes: value }
    } catch (cause) {
      fail(cause, 'failed')
      throw cause
    }
  }

  const opened = open()
  opened.catch(() => {}) // everyone may have left

  return {
    get open() {
      return !closed
    },
    join() {
      const place: Place = { at: 0, fellBehind: false }
      places.add(place)
      return {
        opened,
        async read() {
          for (;;) {
            if (!places.has(place)) throw hasLeft() // it must not draw on what others read
            if (place.fellBehind) throw tooSlow()
            if (place.at < length) {
              const bytes = readEvents(recording as Recording, place.at)
              place.at += bytes.length
              return bytes
            }
            if (state === 'broken') throw error
            if (state === 'complete') return
            const piece = await advance()
            if (piece && piece.at === place.at) {
              place.at += piece.bytes.length
              return piece.bytes
            }
          }
        },
        leave() {
          if (!places.delete(place)) return
          if (places.size === 0 && state === 'running') fail(nobodyLeft(), 'aborted')
          release()
        },
      }
    },
  }
}
