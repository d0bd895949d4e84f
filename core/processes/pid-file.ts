import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { readPrivate, writePrivate } from '../data-folder/private-file.ts'
import type { Mark } from './mark.ts'
import { type ProcessIdentity, startOf } from './process-identity.ts'

/** What is known of a process that gatehouse has started, for the gatehouse that comes after one that was killed. */
export interface PidNote {
  readonly model: string
  /** By this the process and all it has started are known. */
  readonly mark: Mark
  /** The machine or container it runs on: ids of processes mean something only there. */
  readonly machine: string
  /** Missing for a moment, while it is started. */
  readonly pid?: number
  /** When that process was started, see `startOf`. */
  readonly start?: string
  readonly port: number
  readonly command: string
  /** The gatehouse that has started it. Where file systems have no locks there may be two of them with one data folder. */
  readonly owner?: ProcessIdentity
}

/** The note of one process. */
export interface PidFile {
  /** Says which process it has become. */
  started(pid: number, start: string | undefined): void
  /** Takes the note away: it is gone. Twice is once. */
  remove(): void
}

/** Notes a process that is about to be started. A folder that cannot be written only costs the note: `onError` gets the reason. */
export function writePidFile(
  folder: string,
  about: Omit<PidNote, 'machine' | 'pid' | 'start' | 'owner'>,
  onError: (error: unknown) => void,
): PidFile {
  const path = join(folder, `${prefix}${about.mark}.json`)
  const start = startOf(process.pid)
  const note: PidNote = { ...about, machine: hostname(), ...(start !== undefined && { owner: { pid: process.pid, start } }) }
  const orTell = (work: () => void) => {
    try {
      work()
    } catch (error) {
      onError(error)
    }
  }
  orTell(() => {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writePrivate(path, note)
  })
  return {
    started: (pid, start) => orTell(() => writePrivate(path, { ...note, pid, ...(start !== undefined && { start }) })),
    remove: () => orTell(() => rmSync(path, { force: true })),
  }
}

const prefix = 'process-'

/** A note that was left, and the way to be rid of it. */
export interface LeftNote {
  /** Undefined when it cannot be read. */
  readonly note: PidNote | undefined
  remove(): void
}

/** All the notes in the folder. */
export function readPidFiles(folder: string): readonly LeftNote[] {
  return namesIn(folder).map(name => {
    const path = join(folder, name)
    return { note: asNote(readPrivate(path)), remove: () => rmSync(path, { force: true }) }
  })
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter(name => name.startsWith(prefix) && name.endsWith('.json'))
  } catch {
    return []
  }
}

function asNote(value: unknown): PidNote | undefined {
  const { model, mark, machine, pid, start, port, command, owner } = (value ?? {}) as Partial<Record<keyof PidNote, unknown>>
  if (typeof mark !== 'string' || !uuid.test(mark) || typeof machine !== 'string') return undefined
  return {
    model: String(model),
    mark,
    machine,
    port: Number(port),
    command: String(command),
    ...(Number.isSafeInteger(pid) && { pid: pid as number }),
    ...(typeof start === 'string' && { start }),
    ...(isIdentity(owner) && { owner }),
  }
}

const isIdentity = (value: unknown): value is ProcessIdentity => {
  const { pid, start } = (value ?? {}) as Partial<Record<keyof ProcessIdentity, unknown>>
  return Number.isSafeInteger(pid) && typeof start === 'string'
}

/** A mark that is part of many environments would be a command to kill them all. */
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
