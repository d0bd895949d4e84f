import type { Config } from './config/schema.ts'
import { memoryLeases } from './leases/memory.ts'
import type { Leases } from './leases.ts'
import type { Logger } from './log.ts'
import { type KeyIndex, openKeyIndex } from './records/key-index.ts'
import { openLocal } from './records/ledger/local.ts'
import { sqliteLedger } from './records/ledger/sqlite.ts'
import type { Ledger } from './records/ledger.ts'
import type { Records } from './records/records.ts'
import { openRecords, type SqliteRecords } from './records/sqlite.ts'
import { createUsageGatherer, type UsageGatherer } from './records/usage-gatherer.ts'
import { memoryStore } from './stores/memory.ts'
import type { RedisLedgerOptions } from './stores/redis/ledger.ts'
import type { Store } from './stores/store.ts'

/**
 * Who may enter, what they may spend and what they have spent. Opened once, with the settings of the start, and shared by
 * all configs that come after.
 */
export interface Accounts {
  readonly records: Records
  readonly keys: KeyIndex
  readonly ledger: Ledger
  readonly leases: Leases
  readonly usage: UsageGatherer
  /** What instances share, over the connection of the rest. */
  readonly store: Store
  /** Writes what waits to be written, and closes everything. */
  close(): Promise<void>
}

export interface AccountSettings extends Pick<Config, 'redis'> {
  /** The SQLite file. */
  readonly path: string
  /** Takes secrets out of what callers call things. */
  readonly clear?: ((text: string) => string) | undefined
}

/** Opens the database, and Redis where it is configured. Throws a ConfigError when the database cannot be used. */
export async function openAccounts({ redis, path, clear }: AccountSettings, log: Logger): Promise<Accounts> {
  const own = await openRecords({ path })
  for (const warning of own.warnings) log.warn(warning)
  let records: Records = own
  let shared: Awaited<ReturnType<typeof openShared>>
  try {
    shared = await openShared(redis, log)
    const over = shared
    // before anybody keeps the id of a key: what is shared for the first time may get other ones
    if (shared) records = await shared.records(own)
    const keys = await openKeyIndex(records.keys)
    const { database } = own
    const local = openLocal({ database, log })
    const ledger = shared ? shared.ledger({ local, database, log }) : sqliteLedger({ local })
    const leases = shared?.leases ?? memoryLeases()
    const usage = createUsageGatherer({ records, log, clear })
    return {
      records,
      keys,
      ledger,
      leases,
      usage,
      store: shared?.store ?? memoryStore(),
      async close() {
        await usage.close()
        await leases.close()
        await ledger.close()
        local.close()
        await over?.close()
        keys.close()
        await records.close()
      },
    }
  } catch (error) {
    await shared?.close()
    await records.close()
    throw error
  }
}

/** What several instances share through Redis; given once it is known whether it can be used: a second at most. */
async function openShared({ url, on_error: onError }: Config['redis'], log: Logger) {
  if (url === undefined) return
  const { openRedis, redisSubscriber } = await import('./stores/redis.ts') // its client takes 37 ms and 19 MB, which only they pay who use it
  const [{ createRedisStore }, { redisLedger }, { redisLeases }, { redisRecords }] = await Promise.all([
    import('./stores/redis/store.ts'),
    import('./stores/redis/ledger.ts'),
    import('./stores/redis/leases.ts'),
    import('./records/redis.ts'),
  ])
  const link = openRedis({ url, onError, log })
  const store = createRedisStore(link)
  await store.opened
  return {
    store,
    leases: redisLeases({ link }),
    records: (local: SqliteRecords) => redisRecords({ local, link, subscribe: redisSubscriber(url), log }),
    ledger: (over: Omit<RedisLedgerOptions, 'link'>) => redisLedger({ ...over, link }),
    close: () => store.close(),
  }
}
