import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { giveToOwner } from '../kept-key.ts'
import { unusable } from './complaints.ts'
import { readLocalDoor } from './local-door.ts'
import { takeLock } from './lock.ts'

/**
 * Does `work` while no gatehouse serves from the data folder, and keeps one from starting meanwhile. Answers `in use`
 * instead when one serves, or perhaps does, where the file system has no locks. The folder need not exist.
 */
export async function whileUnused<T>(path: string, work: () => Promise<T>): Promise<T | 'in use'> {
  const run = join(path, 'run')
  const file = join(run, 'serve.lock')
  const isFirst = !existsSync(file)
  const lock = await takeIt(path, run, file)
  if (lock === 'held' || (lock === 'unsupported' && readLocalDoor(run))) return 'in use'
  try {
    if (isFirst) for (const made of [run, file]) await giveToOwner(made, path)
    return await work()
  } finally {
    if (lock !== 'unsupported') lock.release()
  }
}

async function takeIt(path: string, run: string, file: string) {
  try {
    for (const folder of [path, run]) mkdirSync(folder, { recursive: true, mode: 0o700 })
    return await takeLock(file)
  } catch (error) {
    throw unusable(path, error)
  }
}
