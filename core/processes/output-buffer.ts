/** One line that a program wrote, or that we have to say about it. */
export interface OutputLine {
  /** Counts from 1 and never again from there: who comes back can say what was seen. */
  readonly id: number
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly from: 'stdout' | 'stderr' | 'gatehouse'
  readonly text: string
}

/** The last words of a program, and an ear for the next ones. */
export interface OutputBuffer {
  add(text: string, from: OutputLine['from']): void
  /** The lines that are kept, oldest first; those after an id, and of these the last few. */
  lines(options?: { readonly after?: number; readonly last?: number }): readonly OutputLine[]
  /** Calls with every line from now on, until the function it returns is called. */
  listen(listener: (line: OutputLine) => void): () => void
}

/** What is kept at most. */
export interface OutputLimits {
  readonly lines: number
  readonly bytes: number
}

const usualLimits: OutputLimits = { lines: 1_000, bytes: 262_144 }

/** Makes an empty buffer. */
export function createOutputBuffer(limits: Partial<OutputLimits> = {}, now: () => number = Date.now): OutputBuffer {
  const most = { ...usualLimits, ...limits }
  const listeners = new Set<(line: OutputLine) => void>()
  let kept: OutputLine[] = []
  let first = 0
  let bytes = 0
  let id = 0

  const forgetOld = () => {
    while (kept.length - first > most.lines || bytes > most.bytes) bytes -= Buffer.byteLength((kept[first++] as OutputLine).text)
    // moved only now and then, so that a line costs the same however many are kept
    if (first < most.lines) return
    kept = kept.slice(first)
    first = 0
  }
  return {
    add(text, from) {
      const line = { id: ++id, at: now(), from, text }
      kept.push(line)
      bytes += Buffer.byteLength(text)
      forgetOld()
      for (const listener of [...listeners]) listener(line)
    },
    lines({ after = 0, last } = {}) {
      const wanted = kept.slice(first).filter(line => line.id > after)
      return last === undefined || last >= wanted.length ? wanted : wanted.slice(wanted.length - last)
    },
    listen(listener) {
      const own = (line: OutputLine) => listener(line) // the same function twice is two listeners
      listeners.add(own)
      return () => void listeners.delete(own)
    },
  }
}
