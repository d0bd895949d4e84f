import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Subscribe } from '../../../stores/redis/connection.ts'
import type { RedisLink } from '../../../stores/redis/link.ts'
import { openLink } from '../../../stores/redis/testing/open-link.ts'
import { redisSubscriber } from '../../../stores/redis.ts'
import { keptLog } from '../../ledger/testing/open-ledger.ts'
import type { Records } from '../../records.ts'
import { redisRecords } from '../../redis.ts'
import { migrations } from '../../sqlite/migrations.ts'
import { openRecords, type SqliteRecords } from '../../sqlite.ts'
import { sharedTables } from '../tables.ts'

/** One instance of a gateway, as far as its records go. */
export interface SharedInstance extends AsyncDisposable {
  readonly records: Records
  readonly local: SqliteRecords
  readonly link: RedisLink
  readonly folder: string
  readonly lines: readonly { readonly level: string; readonly message: string }[]
  until(state: 'up' | 'down'): Promise<number>
  /** Ends it as if it were killed: nothing more is written or said. */
  die(): Promise<void>
}

export interface SharedSettings {
  /** Where its database is, for one that is started again. */
  readonly folder?: string
  readonly now?: () => number
  /** Without one it hears what Redis announces. */
  readonly subscribe?: Subscribe
  readonly pollMs?: number
  readonly startWithinMs?: number
  /** So much more than 250 ms by default that a busy machine does not look like a loss. */
  readonly answerWithinMs?: number
  /** Stands between the records and the link. */
  readonly wrap?: (link: RedisLink) => RedisLink
}

/** Somebody to whom no announcement ever comes. */
export const deaf: Subscribe = () => ({ opened: Promise.resolve(), destroy() {} })

/** The database of an instance, with the tables for what is shared. */
export const openLocal = (folder: string, now?: () => number): Promise<SqliteRecords> =>
  openRecords({ path: join(folder, 'gatehouse.db'), migrations: withSharedTables, ...(now && { now }) })

const withSharedTables = migrations.some(({ sql }) => sql === sharedTables)
  ? migrations
  : [...migrations, { id: migrations.length + 1, name: 'shared records', sql: sharedTables }]

/** A folder for a database, which ends with the test. */
export function sharedFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'gatehouse-shared-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** Opens one, with a link and a database of its own. */
export async function openShared(url: string, settings: SharedSettings = {}): Promise<SharedInstance> {
  const { folder, now, subscribe = redisSubscriber(url), answerWithinMs = 5000, wrap = link => link, ...more } = settings
  const own = folder === undefined ? sharedFolder() : undefined
  const path = folder ?? (own?.path as string)
  const opened = await openLink(url, 'local', answerWithinMs)
  const local = await openLocal(path, now)
  const { log, lines } = keptLog()
  const end = async () => {
    await opened[Symbol.asyncDispose]()
    own?.[Symbol.dispose]()
  }
  try {
    const records = await redisRecords({ local, link: wrap(opened.link), subscribe, log, ...(now && { now }), ...more })
    return {
      records,
      local,
      link: opened.link,
      folder: path,
      lines,
      until: opened.until,
      async die() {
        local.close() // what it would still write fails
        await records.close()
        await opened[Symbol.asyncDispose]()
      },
      async [Symbol.asyncDispose]() {
        await records.close()
        await end()
      },
    }
  } catch (error) {
    local.close()
    await end()
    throw error
  }
}
