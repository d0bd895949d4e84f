import { constants, Database } from 'bun:sqlite'
import { pathToFileURL } from 'node:url'

export type { Database } from 'bun:sqlite'

/**
 * Opens a SQLite file for reading and writing. It never waits for a lock. Keep what you get: a database that
 * nobody refers to is closed by the garbage collector, and its locks go with it.
 */
export function openDatabase(path: string, { create }: { readonly create: boolean }): Database {
  const database = new Database(path, { readwrite: true, create })
  // waiting would block the event loop
  database.run('PRAGMA busy_timeout = 0')
  return database
}

/** SQLite's name of what went wrong, such as `SQLITE_BUSY`; undefined when it was not SQLite. */
export function sqliteCode(error: unknown): string | undefined {
  const { code } = error as { readonly code?: unknown }
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : undefined
}

const mostLooks = 10
const betweenLooksMs = 10

/**
 * The `application_id` of a SQLite file, which is left alone: no lock, no journal taken up, nothing written. Read by SQLite
 * itself, because on POSIX whoever else opens and closes a database file ends all locks its process has on it.
 */
export function applicationIdOf(path: string): number {
  for (let looks = 1; ; looks++) {
    try {
      return readApplicationId(path)
    } catch (error) {
      // somebody may just be bringing his journal into the file, whose header then counts pages that are not there yet
      if (sqliteCode(error) !== 'SQLITE_CORRUPT' || looks === mostLooks) throw error
      Bun.sleepSync(betweenLooksMs)
    }
  }
}

function readApplicationId(path: string): number {
  const database = new Database(`${pathToFileURL(path).href}?immutable=1`, constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI)
  try {
    return (database.query('PRAGMA application_id').get() as { readonly application_id: number }).application_id
  } finally {
    database.close(true)
  }
}

const longestEndMs = 1000

/** Runs in the thread. As text, because a file of its own would have to be known to whatever compiles the binary. */
const copyThread = `
import { Database } from 'bun:sqlite'
self.onmessage = ({ data: { from, to } }) => {
  try {
    const database = new Database(from, { readwrite: true, create: false })
    database.run('PRAGMA busy_timeout = 5000')
    database.query('VACUUM INTO ?').run(to)
    database.close(true)
    postMessage({})
  } catch (error) {
    postMessage({ message: error.message, code: error.code })
  }
}`

/**
 * Copies a database as it is at one moment into a file that is empty or missing. In a thread of its own with a
 * connection of its own, so that others read and write meanwhile; in WAL mode they do not notice. The signal gives it up.
 */
export async function copyDatabase(from: string, to: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const script = URL.createObjectURL(new Blob([copyThread], { type: 'application/javascript' }))
  const thread = new Worker(script)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const giveUp = () => reject(signal.reason)
  signal.addEventListener('abort', giveUp)
  thread.onmessage = ({ data }: MessageEvent<{ readonly message?: string; readonly code?: string }>) =>
    data.message === undefined ? resolve() : reject(Object.assign(new Error(data.message), { code: data.code }))
  thread.onerror = ({ message }) => reject(new Error(message))
  thread.postMessage({ from, to })
  const ended = new Promise(resolve => thread.addEventListener('close', resolve))
  try {
    await promise
  } finally {
    signal.removeEventListener('abort', giveUp)
    thread.terminate()
    // nothing stops SQLite in the middle of a statement; until it ends it may make files again that somebody takes away
    await Promise.race([ended, Bun.sleep(longestEndMs)])
    URL.revokeObjectURL(script)
  }
}
