import { stat } from 'node:fs/promises'

export interface WatchOptions {
  /** How often the files are looked at. */
  readonly everyMs?: number
  /** Called when a file appeared, changed or went, and has been still for one look since. */
  readonly onChange: () => void
}

/** Files that are being watched. */
export interface FileWatch {
  /** Watches these instead. */
  watch(paths: readonly string[]): void
  close(): void
}

const usualMs = 500

/**
 * Watches files by looking at them. The system's own notices are of no use here: they do not reach mounted folders
 * of containers, and see neither a replaced file nor the links Kubernetes swaps. A handful of `stat` calls twice a
 * second cannot be measured.
 */
export function watchFiles(paths: readonly string[], { everyMs = usualMs, onChange }: WatchOptions): FileWatch {
  let watched = paths
  let known: string | undefined // what was last told; undefined until the first look
  let before: string | undefined
  let closed = false
  let timer: Timer

  const look = async () => {
    const round = watched
    const now = await describe(round)
    if (closed) return
    if (round === watched) {
      if (known === undefined) known = now
      // an editor may write in several goes: only what stays still is told
      else if (now !== known && now === before) {
        known = now
        onChange()
      }
      before = now
    }
    timer = setTimeout(look, everyMs)
    timer.unref()
  }
  look()

  return {
    watch(next) {
      if (next.join('\n') === watched.join('\n')) return
      watched = next
      known = undefined
    },
    close() {
      closed = true
      clearTimeout(timer)
    },
  }
}

/** What tells one state of the files from another. */
async function describe(paths: readonly string[]): Promise<string> {
  const states = await Promise.all(
    paths.map(path =>
      stat(path).then(
        ({ ino, size, mtimeMs }) => `${ino} ${size} ${mtimeMs}`,
        () => 'none',
      ),
    ),
  )
  return states.join('\n')
}
