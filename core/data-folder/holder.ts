import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { readPrivate, writePrivate } from './private-file.ts'

/** Who uses a data folder, as that process noted it. Only the lock says whether it still does. */
export interface Holder {
  readonly pid: number
  /** The name of its machine or container: process ids mean something only there. */
  readonly machine: string
  /** ISO time of its start. */
  readonly since: string
  /** Where it listens; missing while it starts. */
  readonly host?: string
  readonly port?: number
  /** True when it listens with TLS. */
  readonly tls?: boolean
}

const noteOf = (runFolder: string) => join(runFolder, 'serve.json')

/** Notes who uses the folder. */
export const writeHolder = (runFolder: string, holder: Holder): void => writePrivate(noteOf(runFolder), holder)

/** Takes the note away, unless it is of another process, which there can be where there are no locks. */
export function removeHolder(runFolder: string, pid: number): void {
  if (readHolder(runFolder)?.pid === pid) rmSync(noteOf(runFolder), { force: true })
}

/** The note of whoever uses the folder or used it last and was killed. */
export function readHolder(runFolder: string): Holder | undefined {
  const note = readPrivate(noteOf(runFolder)) as Partial<Holder> | undefined | null
  if (typeof note?.pid !== 'number' || typeof note.since !== 'string' || typeof note.machine !== 'string') return undefined
  return {
    pid: note.pid,
    machine: note.machine,
    since: note.since,
    ...(typeof note.host === 'string' && { host: note.host }),
    ...(typeof note.port === 'number' && { port: note.port }),
    ...(note.tls === true && { tls: true }),
  }
}

/** For messages: `process 4711 since 2026-01-02T03:04:05.678Z, on 127.0.0.1 port 11435`. */
export function describeHolder({ pid, machine, since, host, port }: Holder, here: string): string {
  const where = machine === here ? '' : ` on ${machine}`
  const address = host === undefined || port === undefined ? ', still starting' : `, listening on ${host} port ${port}`
  return `process ${pid}${where} since ${since}${address}`
}
