import { lstat, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'gatehouse'
import type { EntryLimits } from './entries.ts'
import { createFiles } from './files.ts'
import type { FileQueue } from './queue.ts'
import { createSystemFile, type SystemFile } from './system-file.ts'
import { createUsers, type Users } from './users.ts'

/** What is remembered in files: LlamaGate's folder, `users/`, `sessions/` and `system.json`. */
export interface Memory {
  readonly users: Users
  readonly system: SystemFile
  status(): Promise<MemoryStatus>
  /** Resolves when what was begun is written. */
  close(): Promise<void>
}

/** `/v1/system/memory`. */
export interface MemoryStatus {
  readonly system_updated_at?: string
  readonly user_count: number
  readonly session_count: number
  readonly total_size_bytes: number
}

export interface MemoryOptions {
  readonly folder: string
  readonly limits: EntryLimits
  /** Shared by all who write into the folder. */
  readonly queue: FileQueue
  readonly log: Logger
  /** Unix milliseconds. */
  readonly now: () => number
}

/** Makes the folders. Undefined, with a warning, when that cannot be done: the gateway works without a memory. */
export async function openMemory({ folder, limits, queue, log, now }: MemoryOptions): Promise<Memory | undefined> {
  const [users, sessions] = [join(folder, 'users'), join(folder, 'sessions')]
  try {
    for (const each of [users, sessions]) await mkdir(each, { recursive: true, mode: 0o700 })
  } catch (err) {
    log.warn({ err, folder }, 'the memory is off, because its folder cannot be made')
    return
  }
  const files = createFiles(queue, log)
  const systemFile = join(folder, 'system.json')
  const system = createSystemFile(systemFile, files, now)
  return {
    users: createUsers({ folder: users, limits, files, log, now }),
    system,
    async status() {
      const [ofUsers, ofSessions, ofSystem] = await Promise.all([sizesIn(users), sizesIn(sessions), sizeOf(systemFile)])
      const updatedAt = await system.updatedAt()
      return {
        ...(updatedAt !== undefined && { system_updated_at: updatedAt }),
        user_count: ofUsers.length,
        session_count: ofSessions.length,
        total_size_bytes: [...ofUsers, ...ofSessions, ofSystem ?? 0].reduce((sum, size) => sum + size, 0),
      }
    },
    close: queue.idle,
  }
}

/** The sizes of the JSON files in a folder; a folder somebody removed has none. */
async function sizesIn(folder: string): Promise<readonly number[]> {
  const names = await readdir(folder).catch(() => [])
  const sizes = await Promise.all(names.filter(name => name.endsWith('.json')).map(name => sizeOf(join(folder, name))))
  return sizes.filter(size => size !== undefined)
}

/** Undefined for what is no regular file, and is never read. */
const sizeOf = (file: string): Promise<number | undefined> =>
  lstat(file).then(
    info => (info.isFile() ? info.size : undefined),
    () => undefined,
  )
