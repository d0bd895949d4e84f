import { realpath, rename, unlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Logger } from 'gatehouse'
import { capEntries, type EntryLimits } from './entries.ts'
import { fileNameOf, plainNameOf } from './file-names.ts'
import type { Files } from './files.ts'
import { type Content, writeJson } from './json-file.ts'

/** What is remembered of a user, in the names of the file. The newest entries stand last. */
export interface UserMemory {
  readonly user_id: string
  readonly updated_at?: string
  readonly pinned: readonly string[]
  readonly recent: readonly string[]
  readonly tags: readonly string[]
}

/** Lists that are left out stay as they are. */
export type UserChange = Partial<Record<'pinned' | 'recent' | 'tags', readonly string[] | undefined>>

/** The memory of every user, a file for each. */
export interface Users {
  /** Undefined when nothing is remembered, or the file cannot be read. */
  read(id: string): Promise<UserMemory | undefined>
  /** Throws when the file cannot be written. */
  write(id: string, change: UserChange): Promise<UserMemory>
  /** False when there was nothing. */
  forget(id: string): Promise<boolean>
}

export interface UsersOptions {
  readonly folder: string
  readonly limits: EntryLimits
  readonly files: Files
  readonly log: Logger
  /** Unix milliseconds. */
  readonly now: () => number
}

/** True when an id can be a user's. */
export const isUserId = (id: string): boolean => fileNameOf(id) !== undefined

/** Users in a folder, which must exist. */
export function createUsers({ folder, limits, files, log, now }: UsersOptions): Users {
  const ownFile = (id: string) => join(folder, fileNameOf(id) as string)

  /** The file with the user's memory: ours, or one made by hand or by LlamaGate. */
  const find = async (id: string): Promise<{ readonly file: string; readonly content: Content }> => {
    const file = ownFile(id)
    const content = await files.read(file)
    const plain = plainNameOf(id)
    if (content.state !== 'missing' || plain === undefined) return { file, content }
    const other = join(folder, plain)
    // a file system that does not tell capitals would give us another user's
    const real = await realpath(other).catch(() => undefined)
    return real !== undefined && basename(real) === plain ? { file: other, content: await files.read(other) } : { file, content }
  }

  const present = (id: string, value: Readonly<Record<string, unknown>>): UserMemory => ({
    user_id: id,
    ...(typeof value.updated_at === 'string' && { updated_at: value.updated_at }),
    pinned: capEntries(value.pinned, limits.pinnedMax, limits.maxEntryChars),
    recent: capEntries(value.recent, limits.recentMax, limits.maxEntryChars),
    tags: capEntries(value.tags, limits.pinnedMax, limits.maxEntryChars),
  })

  return {
    async read(id) {
      if (!isUserId(id)) return
      const { content } = await find(id)
      return content.state === 'read' ? present(id, content.value) : undefined
    },

    write: (id, change) =>
      files.queue.run(ownFile(id), async () => {
        const { file, content } = await find(id)
        const old = content.state === 'read' ? content.value : {}
        const given = Object.fromEntries(Object.entries(change).filter(([, list]) => list !== undefined))
        const memory = present(id, { ...old, ...given, updated_at: new Date(now()).toISOString() })
        if (content.state === 'broken') {
          const aside = `${file}.broken-${now()}`
          await rename(file, aside)
          log.warn({ file: aside }, 'a memory file that could not be read was put aside for a new one')
        }
        await writeJson(ownFile(id), { ...old, ...memory })
        if (content.state === 'read' && file !== ownFile(id)) await unlink(file) // all of it is in ours now
        return memory
      }),

    forget: id =>
      files.queue.run(ownFile(id), async () => {
        let forgotten = false
        for (;;) {
          const { file, content } = await find(id)
          if (content.state === 'missing') return forgotten
          await unlink(file)
          forgotten = true
        }
      }),
  }
}
