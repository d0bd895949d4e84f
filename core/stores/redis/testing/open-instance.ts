import { join } from 'node:path'
import { type Local, openLocal } from '../../../records/ledger/local.ts'
import {
  keptLog,
  type LedgerFolder,
  type LedgerLine,
  ledgerFolder,
  openLedgerDatabase,
} from '../../../records/ledger/testing/open-ledger.ts'
import type { Ledger } from '../../../records/ledger.ts'
import type { Database } from '../../../sqlite.ts'
import { redisLedger } from '../ledger.ts'
import type { OnError, RedisLink } from '../link.ts'
import { openLink } from './open-link.ts'

/** A clock that tests move; several instances may go by one. */
export interface TestClock {
  now: number
}

export interface InstanceSettings {
  readonly onError?: OnError
  /** Without one they go by the clock of Redis. */
  readonly clock?: TestClock
  /** Where its database is, for one that is started again. */
  readonly folder?: string
  readonly beatMs?: number
  readonly lastsMs?: number
  /** How long Redis may take: 250 ms. More for what must not depend on how busy the machine is. */
  readonly answerWithinMs?: number
}

/** One instance of a gateway, as far as the ledger goes. */
export interface Instance extends AsyncDisposable, TestClock {
  readonly ledger: Ledger
  readonly local: Local
  readonly link: RedisLink
  readonly database: Database
  readonly lines: readonly LedgerLine[]
  readonly folder: string
  until(state: 'up' | 'down'): Promise<number>
  /** Ends as if it were killed: nothing more is written or said. */
  die(): Promise<void>
}

/** Opens one, with a link and a database of its own. */
export async function openInstance(url: string, settings: InstanceSettings = {}): Promise<Instance> {
  const { onError = 'local', clock, folder, answerWithinMs, ...more } = settings
  const own: LedgerFolder | undefined = folder === undefined ? ledgerFolder() : undefined
  const path = folder ?? (own as LedgerFolder).path
  const opened = await openLink(url, onError, answerWithinMs)
  const database = openLedgerDatabase(join(path, 'ledger.db'))
  const { log, lines } = keptLog()
  const local = openLocal({ database, log })
  const ledger = redisLedger({
    local,
    link: opened.link,
    database,
    log,
    ...(clock && { now: () => clock.now }),
    ...(answerWithinMs && { retryForMs: answerWithinMs }),
    ...more,
  })
  return {
    ledger,
    local,
    link: opened.link,
    database,
    lines,
    folder: path,
    until: opened.until,
    get now() {
      return clock?.now ?? Date.now()
    },
    set now(at) {
      if (clock) clock.now = at
    },
    async die() {
      database.close(true)
      await opened[Symbol.asyncDispose]()
    },
    async [Symbol.asyncDispose]() {
      ledger.close()
      local.close()
      await opened[Symbol.asyncDispose]()
      database.close(true)
      own?.[Symbol.dispose]()
    },
  }
}
