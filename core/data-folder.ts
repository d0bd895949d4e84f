import { mkdirSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { inUse, unusable } from './data-folder/complaints.ts'
import { describeHolder, type Holder, readHolder, removeHolder, writeHolder } from './data-folder/holder.ts'
import { clearLocalDoor, makeToken, removeLocalDoor, writeLocalDoor } from './data-folder/local-door.ts'
import { type Lock, type LockAnswer, takeLock } from './data-folder/lock.ts'
import { judgeStarts, type RunHistory, type RunReport, readStarts, reportHistory, type Start, writeStarts } from './data-folder/starts.ts'

/** The data folder of a gatehouse that serves; nobody else serves from it meanwhile. */
export interface DataFolder {
  readonly path: string
  /** SHA-256 in hex of what the command line on this machine shows to enter as the administrator; another one for each claim. */
  readonly tokenSha256: string
  /** How the runs before this one ended. */
  readonly previous: RunHistory
  /** The same for `/health`, as of now. */
  report(): RunReport
  /** Lines to log: what could not be made sure of. */
  readonly warnings: readonly string[]
  /** Notes where this gatehouse listens, for those who come after it and for commands. Again when that changes. Never throws. */
  announce(address: Address): void
  /** Notes that somebody asked for the end: whatever happens from now on is no crash. */
  stopping(): void
  /** Notes a clean end and lets the folder go. Never throws; twice is once. */
  release(): void
}

/** Where a gatehouse listens. */
export interface Address {
  readonly host: string
  readonly port: number
  readonly tls?: boolean
}

/** What a claim needs of the world. */
export interface ClaimOptions {
  readonly now?: () => number
  readonly pid?: number
  /** The name of this machine. */
  readonly machine?: string
  readonly lock?: (path: string) => Promise<LockAnswer>
}

/**
 * Makes a data folder this process's own until it ends, in whatever way. Throws a ConfigError when another gatehouse
 * has it, which says who, or when it cannot be used, which says why.
 */
export async function claimDataFolder(path: string, options: ClaimOptions = {}): Promise<DataFolder> {
  const { now = Date.now, pid = process.pid, machine = hostname(), lock: take = takeLock } = options
  const run = join(path, 'run')
  const lock = await orUnusable(path, () => {
    for (const folder of [path, run]) mkdirSync(folder, { recursive: true, mode: 0o700 })
    return take(join(run, 'serve.lock'))
  })
  const before = readHolder(run)
  if (lock === 'held') throw inUse(path, before, machine)
  const startedAt = now()
  const holder: Holder = { pid, machine, since: new Date(startedAt).toISOString() }
  const earlier = readStarts(run)
  let start: Start = { startedAt: holder.since }
  const keepStart = () => writeStarts(run, [...earlier, start])
  await orUnusable(path, () => {
    if (lock !== 'unsupported') clearLocalDoor(run)
    keepStart()
    writeHolder(run, holder)
  }).catch(error => {
    letGo(lock)
    throw error
  })

  const stopping = () => {
    if (start.stoppedAt !== undefined) return
    start = { ...start, stoppedAt: new Date(now()).toISOString() }
    unlessGone(keepStart)
  }
  const previous = judgeStarts(earlier, startedAt)
  const { secret: token, sha256: tokenSha256 } = makeToken()
  let released = false
  return {
    path,
    tokenSha256,
    previous,
    report: () => reportHistory(previous, startedAt, now()),
    warnings: lock === 'unsupported' ? [unlocked(path, before, machine)] : [],
    announce({ host, port, tls = false }) {
      if (released) return
      unlessGone(() => writeHolder(run, { ...holder, host, port, tls }))
      unlessGone(() => writeLocalDoor(run, { host, port, tls, token }))
    },
    stopping,
    release() {
      if (released) return
      released = true
      stopping()
      unlessGone(() => removeHolder(run, pid))
      unlessGone(() => removeLocalDoor(run, token))
      letGo(lock)
    },
  }
}

async function orUnusable<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw unusable(path, error)
  }
}

function unlocked(path: string, before: Holder | undefined, machine: string): string {
  const other = before ? `; the last one to use it was ${describeHolder(before, machine)}` : ''
  return `data_dir: the file system of ${path} has no locks, so nothing keeps a second gatehouse from using it too${other}`
}

const letGo = (lock: Lock | 'unsupported'): void => {
  if (lock !== 'unsupported') lock.release()
}

/** A disk that has become full or a folder that was removed must neither end the process nor keep it from ending. */
function unlessGone(work: () => void): void {
  try {
    work()
  } catch {}
}
