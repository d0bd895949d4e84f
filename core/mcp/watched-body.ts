const newline = 10

export interface WatchOptions {
  readonly onHeard: () => void
  /** Called when it ends in order. `resumable`: an event had an id, so another stream may go on where this one ended. */
  readonly onEnd: (resumable: boolean) => void
  /** In bytes: of one line of an event stream, or of the whole of anything else. */
  readonly longest: number
  readonly isEvents: boolean
}

/**
 * A body that tells when something comes, that errors when it is too long, and that lets others have the event loop: the SDK
 * would go through all that is there already in one turn.
 */
export function watchBody(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  { onHeard, onEnd, longest, isEvents }: WatchOptions,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let size = 0
  let resumable = false
  return body.pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      async transform(chunk, controller) {
        onHeard()
        const lastEnd = isEvents ? chunk.lastIndexOf(newline) : -1
        size = lastEnd === -1 ? size + chunk.length : chunk.length - lastEnd - 1
        if (size > longest) throw new Error(`the server sends more than ${longest} bytes at once`)
        if (isEvents && !resumable) resumable = /^id:/m.test(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1'))
        controller.enqueue(chunk)
        await new Promise(setImmediate)
      },
      flush: () => onEnd(resumable),
    }),
  )
}
