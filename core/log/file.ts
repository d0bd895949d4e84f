import { constants } from 'node:fs'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Target } from './sink.ts'

/**
 * Opens a log file for appending, for its owner alone. Makes its folder when only that is missing: a path that
 * is wrong further up is a mistake. Throws what the system says.
 */
export async function openLogFile(path: string): Promise<Target> {
  await mkdir(dirname(path), { mode: 0o700 }).catch(() => {}) // what is wrong with it, opening tells
  // without O_NONBLOCK, a named pipe that nobody reads would never be opened
  const handle = await open(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NONBLOCK ?? 0), 0o600)
  try {
    const info = await handle.stat()
    // a group may have been let in on purpose (logrotate's `create 640 root adm`); the whole world never is
    if (info.isFile() && info.uid === process.getuid?.() && info.mode & 0o007) await handle.chmod(0o600)
    if (info.isFile() && info.size > 0 && (await isCut(path, info.size))) await handle.write('\n')
  } catch {
    // a file that cannot be looked at can still be written to
  }
  return { fd: handle.fd, close: () => handle.close() }
}

/** True when the last run ended in the middle of a line; the first one of this run must not be glued to it. */
async function isCut(path: string, size: number): Promise<boolean> {
  let handle: FileHandle | undefined
  try {
    handle = await open(path, 'r')
    const { buffer } = await handle.read({ buffer: Buffer.alloc(1), position: size - 1 })
    return buffer[0] !== 10
  } finally {
    await handle?.close()
  }
}
