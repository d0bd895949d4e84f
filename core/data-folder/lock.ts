import { closeSync, openSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Database, openDatabase, sqliteCode } from '../sqlite.ts'

/** A lock that ends with the process, however that ends. */
export interface Lock {
  release(): void
}

/** What came of asking for a lock; `unsupported` on file systems that have none. */
export type LockAnswer = Lock | 'held' | 'unsupported'

/** Somebody who only looks whether a lock is held has it for a moment, so it is asked for several times. */
const attempts = 8
const pauseMs = 25

/**
 * Takes the lock of a file, which is made when it is missing. Throws when the file cannot be used.
 *
 * Bun has no flock, and SQLite's locks are kept by the operating system on every platform. The transaction is never
 * ended and writes nothing: the file stays empty. IMMEDIATE, because of those who begin one exactly one wins, where
 * EXCLUSIVE ones can refuse each other. On POSIX all locks of a process on a file end when it closes *any*
 * descriptor of it, so nothing but SQLite, which knows that, may open this file.
 */
export async function takeLock(path: string): Promise<LockAnswer> {
  createPrivate(path)
  return askOften(path)
}

/**
 * True while some process has the lock of the file, undefined when that cannot be found out. Asked once only, it answers at
 * once, and may take somebody else who looks for the holder.
 */
export async function isLocked(path: string, times = attempts): Promise<boolean | undefined> {
  try {
    statSync(path)
    const answer = await askOften(path, times)
    if (typeof answer === 'object') answer.release()
    return answer === 'unsupported' ? undefined : answer === 'held'
  } catch (error) {
    return /^(ENOENT|ENOTDIR)$/.test(String((error as { code?: unknown }).code)) ? false : undefined
  }
}

/** Whoever may read the file may also keep others from locking it, so it is for its owner alone. */
function createPrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if ((error as { code?: string }).code !== 'EEXIST') throw error
  }
}

async function askOften(path: string, times = attempts): Promise<LockAnswer> {
  for (let attempt = 1; attempt <= times; attempt++) {
    if (attempt > 1) await Bun.sleep(pauseMs)
    const answer = tryLock(path)
    if (answer !== 'held') return answer
  }
  // some network file systems say "busy" where they mean that they have no locks
  return locksWork(dirname(path)) ? 'held' : 'unsupported'
}

function tryLock(path: string): LockAnswer {
  const database = openDatabase(path, { create: false })
  try {
    // nothing is ever written, but by default a journal would lie beside the file
    database.run('PRAGMA journal_mode = MEMORY')
    database.run('BEGIN IMMEDIATE')
    return hold(database)
  } catch (error) {
    database.close()
    const code = sqliteCode(error)
    if (code === 'SQLITE_BUSY') return 'held'
    if (code === 'SQLITE_PROTOCOL' || code === 'SQLITE_NOLFS' || /^SQLITE_IOERR_\w*LOCK$/.test(code ?? '')) return 'unsupported'
    throw error
  }
}

/** Kept by the process, not only by the caller: see `openDatabase`. */
function hold(database: Database): Lock {
  const close = () => database.close()
  process.on('exit', close)
  return {
    release() {
      process.off('exit', close)
      close()
    },
  }
}

/** Tries it on a file that nobody else can know of. */
function locksWork(folder: string): boolean {
  const path = join(folder, `lock-test-${crypto.randomUUID()}`)
  try {
    createPrivate(path)
    const answer = tryLock(path)
    if (typeof answer === 'object') answer.release()
    return typeof answer === 'object'
  } catch {
    return true // then at least nothing speaks against the first answer
  } finally {
    rmSync(path, { force: true })
  }
}
