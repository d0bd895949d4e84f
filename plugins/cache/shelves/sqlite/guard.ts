import type { Logger } from 'gatehouse'
import { openFile, setAside } from './file.ts'
import type { Rows } from './rows.ts'
import { codeOf, isDamage, reasonOf } from './trouble.ts'

/** The answers in a file that may be missing, damaged, full, or somebody else's: there are none then, and nothing is thrown. */
export interface GuardedFile {
  /** What `work` gives; undefined when the file cannot be read. */
  read<T>(work: (rows: Rows) => T): T | undefined
  /** The same to write; opens the file where it is not open. */
  write<T>(work: (rows: Rows) => T): T | undefined
  /** False for some time after something went wrong. */
  readonly writable: boolean
  /** To be called when something was written: should it go wrong again, that is news. */
  works(): void
  /** Puts a file without answers in its place. */
  empty(): void
  close(): void
}

export interface GuardOptions {
  readonly path: string
  readonly log: Logger
  readonly now: () => number
}

/** How long the file is left alone after something went wrong with it. */
const restMs = 60_000
/** The same when it will soon be different: the damaged one is out of the way, or the shelf before this one is being closed. */
const shortRestMs = 1000

/** Opens the file at once, where that can be done. */
export function guardFile({ path, log, now }: GuardOptions): GuardedFile {
  const told = new Set<string>()
  let rows: Rows | undefined
  let rest = { from: 0, ms: 0 }
  let outOfDate = false // what the file holds must not be seen again
  let closed = false

  const tell = (error: unknown) => {
    const code = codeOf(error)
    if (told.has(code)) return
    told.add(code)
    const facts = { path, reason: reasonOf(error), code }
    if (isDamage(error)) log.warn(facts, 'The kept answers of the cache cannot be read; they are put aside and collected anew')
    else log.warn(facts, 'The answers of the cache cannot be kept on disk; memory alone has them')
  }
  const letGo = () => {
    const before = rows
    rows = undefined
    before?.close()
  }
  const replace = () => {
    letGo()
    setAside(path)
  }
  const open = () => {
    try {
      rows = openFile(path, { empty: outOfDate })
    } catch (error) {
      if (!isDamage(error)) throw error
      tell(error)
      setAside(path)
      rows = openFile(path, { empty: true })
    }
    outOfDate = false
    rest = { from: 0, ms: 0 }
  }
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work()
    } catch (error) {
      const code = codeOf(error)
      tell(error)
      rest = { from: now(), ms: isDamage(error) || code === 'SQLITE_BUSY' ? shortRestMs : restMs }
      if (code !== 'SQLITE_FULL') quietly(isDamage(error) ? replace : letGo) // when it is full, it can still be read
      return
    }
  }
  const isWritable = () => {
    const elapsed = now() - rest.from
    return !closed && (elapsed < 0 || elapsed >= rest.ms) // clocks are set back
  }

  attempt(open)
  return {
    read: work => {
      const current = rows
      return current && attempt(() => work(current))
    },
    write: work =>
      isWritable()
        ? attempt(() => {
            if (!rows) open()
            return work(rows as Rows)
          })
        : undefined,
    get writable() {
      return isWritable()
    },
    works: () => told.clear(),
    empty() {
      if (closed) return
      outOfDate = true
      attempt(() => {
        letGo()
        open()
      })
    },
    close() {
      closed = true
      quietly(letGo)
    },
  }
}

/** Something went wrong already, and has been told. */
function quietly(work: () => void): void {
  try {
    work()
  } catch {}
}
