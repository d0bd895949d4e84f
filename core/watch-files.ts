import { stat } from 'node:fs/promises'

export interface WatchOptions {
  /** How often the files are looked at. */
  readonly everyMs?: number
  /** Called when a file appeared, changed or went, and has been still for one look since. */
  readonly onChange: () => void
}

/** Files that are being watched. */
export interface FileWatch {
  /** Resolves when every file has been looked at once: what changes from now on is told. */
  readonly ready: Promise<void>
  /** Watches these instead. Files that are new are told of once, whatever they are: they may have changed before. */
  watch(paths: readonly string[]): void
  close(): void
}

const usualMs = 500
/** Files that never stay still are told of after so many looks. */
const mostLooks = 10

/**
 * Watches files by looking at them. The system's own notices are of no use here: they do not reach mounted folders
 * of containers, and see neither a replaced file nor the links Kubernetes swaps. A handful of `stat` calls twice a
 * second cannot be measured.
 */
export function watchFiles(paths: readonly string[], { everyMs = usualMs, onChange }: WatchOptions): FileWatch {
  let watched = paths
  let told: ReadonlyMap<string, string> | undefined // what was last told; undefined until the first look
  let before = ''
  let unrest = 0
  let closed = false
  let timer: Timer
  const ready = Promise.withResolvers<void>()

  const look = async () => {
    const seen = await describe(watched)
    if (closed) return
    judge(seen)
    timer = setTimeout(look, everyMs)
    timer.unref()
    ready.resolve()
  }
  const judge = (seen: ReadonlyMap<string, string>) => {
    const now = [...seen].flat().join('\n')
    const still = now === before
    before = now
    if (told === undefined) told = seen
    if (watched.every(path => told?.get(path) === seen.get(path))) {
      unrest = 0
      return
    }
    // an editor may write in several goes: only what stays still is told
    if (!still && ++unrest < mostLooks) return
    unrest = 0
    told = seen
    onChange()
  }
  look()

  return {
    ready: ready.promise,
    watch(next) {
      watched = next
    },
    close() {
      closed = true
      clearTimeout(timer)
    },
  }
}

/** What tells one state of each file from another. The time of the last change of any kind: some tools keep the other one. */
async function describe(paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const states = await Promise.all(
    paths.map(path =>
      stat(path).then(
        ({ ino, size, mtimeMs, ctimeMs }) => `${ino} ${size} ${mtimeMs} ${ctimeMs}`,
        () => 'none',
      ),
    ),
  )
  return new Map(paths.map((path, index) => [path, states[index] as string]))
}
