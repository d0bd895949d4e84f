import { openLogFile } from './file.ts'
import { createSink, gatherMs, type Sink } from './sink.ts'

/** The log's file, which may come, go, move and be opened anew while lines are written. */
export interface KeptFile {
  write(line: string): void
  /** Writes to this file from now on, or to none. Never rejects: the one before stays when this cannot be opened. */
  use(path: string | undefined): Promise<void>
  /** Opens it anew. False when there is none to open; rejects when it cannot be opened. */
  reopen(): Promise<boolean>
  end(): Promise<void>
  /** Where lines wait at the moment. */
  sink(): Sink | undefined
}

/** How long a write that is stuck in the old file may hold up the news that the new one is open. */
const longestMoveMs = 1000

/** No file yet. `warn` hears of files that cannot be opened. */
export function createKeptFile(warn: (facts: object, message: string) => void): KeptFile {
  let wanted: string | undefined
  let opened: string | undefined
  let sink: Sink | undefined
  let turn: Promise<unknown> = Promise.resolve()

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work)
    turn = done.catch(() => {})
    return done
  }
  /** Lines gather from the first moment on, whenever the file is open. */
  const gather = () => {
    sink ??= createSink(undefined, gatherMs)
    return sink
  }
  const open = async (path: string) => {
    const into = gather()
    try {
      await Promise.race([into.moveTo(await openLogFile(path)), Bun.sleep(longestMoveMs)])
      opened = path
    } catch (error) {
      if (opened === undefined) letGo()?.close()
      throw error
    }
  }
  const letGo = () => {
    const before = sink
    sink = opened = undefined
    return before
  }

  return {
    write: line => sink?.write(line),
    sink: () => sink,
    use(path) {
      wanted = path
      if (path !== undefined) gather()
      return inTurn(async () => {
        if (path === opened) return
        if (path === undefined) return void letGo()?.end()
        await open(path).catch((error: NodeJS.ErrnoException) => {
          const instead = opened === undefined ? 'lines go to stdout alone' : 'lines go to the one before'
          warn({ file: path, code: error.code }, `the log file cannot be opened; ${instead}`)
        })
      })
    },
    reopen: () =>
      inTurn(async () => {
        if (wanted === undefined) return false
        await open(wanted)
        return true
      }),
    end: async () => sink?.end(),
  }
}
