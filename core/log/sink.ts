import { write, writeSync } from 'node:fs'
import { createQueue } from './queue.ts'

/** Something open that bytes can be written to. */
export interface Target {
  readonly fd: number
  close(): unknown
}

/** Where lines wait until they are written. Never throws, never blocks, never holds up whoever writes. */
export interface Sink {
  /** Takes one line, or drops it when too many wait already. */
  write(line: string): void
  /** Writes to `target` from now on, beginning with what waits, and closes the one before. Resolves once it has moved. */
  moveTo(target: Target): Promise<void>
  /** How many lines were dropped, and why the last write failed, since this was last asked. */
  takeTrouble(): { readonly dropped: number; readonly failure: string | undefined }
  /** Writes what is left, for as long as that is worth waiting for, and lets go. */
  end(): Promise<void>
  /** Lets go at once; what is not written is lost. */
  close(): void
  /** What waits, written on the spot: for the very end of a process that did not wait for `end`. */
  writeNow(): void
}

interface Move {
  readonly to: Target
  readonly done: () => void
}

/** How long lines are gathered when nobody watches them come. */
export const gatherMs = 250
/** This much is written without waiting for more. Characters; with 4 KiB each line of a request took 0.1 to 0.5 µs more. */
const enough = 32 * 1024
/** After a write that failed: a full disk may have room again; a pipe that was full has it soon. */
const retryMs = 250
const retryFullPipeMs = 10
const patienceMs = 500
const longestEndMs = 10_000

/** Makes a sink that gathers lines for so long; 0 writes each at once. Without a target it waits for `moveTo`. */
export function createSink(first: Target | undefined, gatherFor: number): Sink {
  const queue = createQueue()
  let target = first
  let flying = false // a write is out
  let resting = false // a write failed, and waits to be tried again
  let closed = false
  let move: Move | undefined // waits for the write that is out
  let timer: Timer | undefined
  let dropped = 0
  let failure: string | undefined
  let progress = 0
  let onEmpty: (() => void) | undefined

  const pump = () => {
    if (flying || resting || closed || !target) return
    const chunk = queue.next()
    if (!chunk) return onEmpty?.()
    flying = true
    const { bytes, written } = chunk
    write(target.fd, bytes, written, bytes.length - written, null, (error, count) => {
      flying = false
      if (closed) return release(target)
      if (error) failure = error.code === 'EAGAIN' ? failure : (error.code ?? error.name)
      else {
        progress++
        chunk.written += count
        if (chunk.written >= bytes.length) queue.done()
      }
      if (move) moveNow(move)
      else if (error) rest(error.code === 'EAGAIN' ? retryFullPipeMs : retryMs)
      else goOn(chunk.written < bytes.length)
    })
  }
  const goOn = (half: boolean) => {
    if (half || onEmpty || gatherFor === 0 || queue.size() >= enough) pump()
    else if (queue.size() > 0) timer ??= setTimeout(wake, gatherFor).unref()
  }
  const rest = (ms: number) => {
    resting = true
    clearTimeout(timer)
    timer = setTimeout(wake, ms).unref()
  }
  const wake = () => {
    timer = undefined
    resting = false
    pump()
  }
  const moveNow = ({ to, done }: Move) => {
    move = undefined
    release(target)
    target = to
    queue.rewind()
    clearTimeout(timer)
    done()
    wake()
  }
  const close = () => {
    if (closed) return
    closed = true
    clearTimeout(timer)
    if (move) release(move.to)
    move?.done()
    if (!flying) release(target) // else the write that is out does it
    onEmpty?.()
  }

  return {
    write(line) {
      if (closed) return
      if (!queue.push(line)) dropped++
      else if (!flying && !resting) goOn(false)
    },
    moveTo(to) {
      if (closed) return Promise.resolve(release(to))
      if (move) release(move.to)
      move?.done()
      return new Promise(done => {
        move = { to, done }
        if (!flying) moveNow(move)
      })
    },
    takeTrouble() {
      const trouble = { dropped, failure }
      dropped = 0
      failure = undefined
      return trouble
    },
    end() {
      if (closed) return Promise.resolve()
      return new Promise(resolve => {
        let before = progress
        let left = longestEndMs / patienceMs
        // as long as somebody reads, and not for ever
        const check = setInterval(() => {
          if (before === progress || --left <= 0) close()
          before = progress
        }, patienceMs)
        onEmpty = () => {
          onEmpty = undefined
          clearInterval(check)
          close()
          resolve()
        }
        pump()
      })
    },
    close,
    writeNow() {
      // with a write still out, whoever should take it does not: another one would wait with it, perhaps for ever
      if (closed || flying || !target) return
      try {
        for (let chunk = queue.next(); chunk; queue.done(), chunk = queue.next()) {
          while (chunk.written < chunk.bytes.length) chunk.written += writeSync(target.fd, chunk.bytes, chunk.written)
        }
      } catch {
        // nobody is left to tell
      }
    },
  }
}

/** stdout and stderr are not ours to close. */
function release(target: Target | undefined): void {
  if (target && target.fd > 2) Promise.resolve(target.close()).catch(() => {})
}
