import { link, lstat, open, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ConfigError } from '../../errors.ts'
import { copyDatabase } from '../../sqlite.ts'
import { noBackup } from './complaints.ts'

/**
 * Copies the database `from` into a new file that only its owner can read, as it is at one moment, while others read and
 * write it. When it resolves, the file is on the disk. Throws a ConfigError when it cannot; nothing is ever overwritten,
 * and what has that name is whole. The signal gives it up.
 */
export async function backupFile(from: string, file: string, signal: AbortSignal): Promise<void> {
  const part = `${file}.${crypto.randomUUID()}.part`
  try {
    if (await isThere(file)) throw Object.assign(new Error('there already'), { code: 'EEXIST' })
    await createPrivate(part)
    await copyDatabase(from, part, signal)
    await sync(part, 'r+')
    await publish(part, file)
  } catch (error) {
    throw error instanceof ConfigError ? error : noBackup(file, error)
  } finally {
    for (const left of [part, `${part}-journal`]) await unlink(left).catch(() => {}) // not there, as a rule
  }
  // so that its name survives a power cut too; not every system can do that
  await sync(dirname(file), 'r').catch(() => {})
}

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  )

/** Gives the file its name, unless that is taken meanwhile. */
async function publish(part: string, file: string): Promise<void> {
  try {
    await link(part, file)
  } catch (error) {
    if ((error as { readonly code?: string }).code === 'EEXIST') throw error
    // a file system without links: take the name first
    await createPrivate(file)
    await rename(part, file)
  }
}

async function createPrivate(path: string): Promise<void> {
  const handle = await open(path, 'wx', 0o600)
  await handle.close()
}

async function sync(path: string, flags: string): Promise<void> {
  const handle = await open(path, flags)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
