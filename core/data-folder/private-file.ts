import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/**
 * Puts JSON into a file that only its owner can read, as a whole or not at all, whenever the process ends. Not synced
 * to the disk, which would hold up the start: after a power cut it may be empty. Only one process at a time may write it.
 */
export const writePrivate = (path: string, value: unknown): void => replace(path, `${JSON.stringify(value, null, 2)}\n`, false)

/** The same for a line of text that must be there after a power cut, too. */
export const writePrivateLine = (path: string, line: string): void => replace(path, `${line}\n`, true)

/** What `writePrivate` wrote; undefined when there is no such file or somebody has changed it into something else. */
export function readPrivate(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

function replace(path: string, text: string, synced: boolean): void {
  const unfinished = `${path}.new`
  try {
    rmSync(unfinished, { force: true }) // left by a process that was killed here; or a link to somewhere else
    const file = openSync(unfinished, 'wx', 0o600)
    try {
      writeFileSync(file, text)
      if (synced) fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(unfinished, path)
  } catch (error) {
    rmSync(unfinished, { force: true })
    throw error
  }
}
