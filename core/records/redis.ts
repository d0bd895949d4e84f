import { ConfigError } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { Subscribe } from '../stores/redis/connection.ts'
import type { RedisLink } from '../stores/redis/link.ts'
import type { Records } from './records.ts'
import { apart, noticeApart } from './redis/apart.ts'
import { createChange } from './redis/changes.ts'
import { hearAnnouncements } from './redis/hear.ts'
import type { Hearers } from './redis/intake.ts'
import { keyShelf } from './redis/key-shelf.ts'
import { sharedKeys } from './redis/keys.ts'
import { shareLastUse } from './redis/last-use.ts'
import { openMirror } from './redis/mirror.ts'
import { modelShelf } from './redis/model-shelf.ts'
import { sharedModels } from './redis/models.ts'
import { sharedSettings } from './redis/settings.ts'
import { settingsShelf } from './redis/settings-shelf.ts'
import { startSync } from './redis/sync.ts'
import { openTalk } from './redis/talk.ts'
import { openUnanswered } from './redis/unanswered.ts'
import { sqliteAudit } from './sqlite/audit.ts'
import { sqliteModels } from './sqlite/models.ts'
import { sqliteSettings } from './sqlite/settings.ts'
import type { SqliteRecords } from './sqlite.ts'

export interface RedisRecordsOptions {
  /** The database of this instance, which nobody else changes from now on. It is closed with these records. */
  readonly local: SqliteRecords
  /** Stays open when these records are closed. */
  readonly link: RedisLink
  readonly subscribe: Subscribe
  readonly log: Logger
  readonly now?: () => number
  readonly newId?: () => string
  /** How often it is asked whether something has changed, because announcements may get lost. */
  readonly pollMs?: number
  /** How long the start waits for Redis when it must have it. */
  readonly startWithinMs?: number
}

/**
 * Records whose keys, models and settings several instances share through Redis; usage and audit are this instance's own.
 * Resolves when they agree, or Redis is known to be away. Throws a ConfigError when it is away and there are rows to be shared
 * for the first time: they may need other ids, which is possible only as long as nobody uses them.
 */
export async function redisRecords(options: RedisRecordsOptions): Promise<Records> {
  const { local, link, subscribe, log, now = Date.now, newId = () => crypto.randomUUID(), pollMs = 400, startWithinMs = 10_000 } = options
  const { database } = local
  const audit = sqliteAudit(database, now)
  const here = sqliteSettings(database, audit)
  const readModels = sqliteModels(database, { audit, now })
  noticeApart(database, here.get(), now())

  const [keyRows, modelRows] = [keyShelf(database), modelShelf(database, readModels.get)]
  const mirror = openMirror(database, { key: keyRows, model: modelRows, settings: settingsShelf(database, here.get) })
  const unanswered = openUnanswered(database, audit, now)
  const hearers: Hearers = {
    tell(touched) {
      settings.tell()
      if (touched === 'all' || touched.some(({ kind }) => kind === 'model')) models.tell()
      keys.tell(touched === 'all' ? touched : touched.filter(({ kind }) => kind === 'key'))
    },
    tellUnwritten: rows => keys.tellUnwritten(rows),
  }
  const settings = sharedSettings({ get: here.get, mirror, change: () => change, now, newId })
  const sync = startSync({ database, link, mirror, talk: openTalk(link), audit, unanswered, hearers, log, now, newId, pollMs })
  const change = createChange(sync, mirror)
  const models = sharedModels({ local: readModels, named: modelRows.named, mirror, sync, change, now, newId })
  const lastUse = shareLastUse(link, local.keys, id => keyRows.find(id) !== undefined)
  const keys = sharedKeys({ local: local.keys, shelf: keyRows, mirror, sync, change, settings, lastUse, now, newId })
  const hearing = hearAnnouncements({
    subscribe,
    log,
    wake(seq) {
      if (seq === undefined || seq > mirror.position.seq) void sync.wake()
    },
  })
  const stop = () => {
    hearing.close()
    sync.close()
  }

  await link.opened
  await sync.wake()
  const until = performance.now() + startWithinMs
  while (mirror.position.change === apart) {
    if (performance.now() > until) {
      stop()
      throw neededNow()
    }
    await Bun.sleep(50)
  }
  return {
    keys,
    models,
    settings,
    audit,
    usage: local.usage,
    backup: local.backup,
    close() {
      stop()
      local.close()
    },
  }
}

const neededNow = () =>
  new ConfigError(
    'redis.url: Redis cannot be used, and it is needed for this start: the keys and models that were made without it are taken over now. Start again when it is there, or leave out redis.url',
  )
