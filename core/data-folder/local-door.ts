import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from '../errors.ts'
import { makeKey } from '../kept-key.ts'
import { readPrivate, writePrivate } from './private-file.ts'

/** How the command line on the same machine reaches the gatehouse that serves from a data folder. */
export interface LocalDoor {
  readonly host: string
  readonly port: number
  readonly tls: boolean
  /** Lets its bearer in as the administrator, from this machine, until that gatehouse ends. */
  readonly token: string
}

const noteOf = (runFolder: string) => join(runFolder, 'command-line.json')

/** Random, and new for each start: one that a killed process has left behind opens nothing. */
export const makeToken = () => makeKey({ prefix: 'sk-local-' })

/** Leaves word for the command line. */
export const writeLocalDoor = (runFolder: string, door: LocalDoor): void => writePrivate(noteOf(runFolder), door)

/** Takes the note away, unless it is of another process, which there can be where there are no locks. */
export function removeLocalDoor(runFolder: string, token: string): void {
  const { token: noted } = (readPrivate(noteOf(runFolder)) ?? {}) as Partial<LocalDoor>
  if (noted === token) rmSync(noteOf(runFolder), { force: true })
}

/** Takes away what a killed process has left: its port may be somebody else's by now. */
export const clearLocalDoor = (runFolder: string): void => rmSync(noteOf(runFolder), { force: true })

/** The note; undefined when there is none. Throws a ConfigError when this user may not read it. */
export function readLocalDoor(runFolder: string): LocalDoor | undefined {
  const path = noteOf(runFolder)
  try {
    const { host, port, tls, token } = JSON.parse(readFileSync(path, 'utf8')) as Partial<LocalDoor>
    if (typeof host !== 'string' || typeof port !== 'number' || typeof token !== 'string') return undefined
    return { host, port, tls: tls === true, token }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code !== 'EACCES' && code !== 'EPERM') return undefined
    throw new ConfigError(`this user may not read ${path}; be the user gatehouse runs as, or give its admin key with --api-key`, { cause })
  }
}
