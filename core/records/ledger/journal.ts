import type { Logger } from '../../log.ts'
import type { Database } from '../../sqlite.ts'
import type { Entry } from './entry.ts'
import { covers, type Window } from './periods.ts'
import { ledgerRows, type Spending } from './rows.ts'

/** What of the ledger is on the disk, and what is about to be. */
export interface Journal {
  /** False while the database could not be written for longer than anybody should have to trust. */
  readonly healthy: boolean
  /** Settled by this instance in a window, what is not written yet included. */
  spent(keyId: number, window: Window): number
  opened(entry: Entry): void
  resized(entry: Entry): void
  /** The entry is over, and costs nothing. */
  released(entry: Entry): void
  /** The entry is over, and costs tokens. Resolves when that is committed; never rejects. */
  settled(entry: Entry, tokens: number): Promise<void>
  /** Writes everything now, also what is younger than would be written by itself. */
  flush(): void
  close(): void
}

export interface JournalOptions {
  readonly database: Database
  readonly log: Logger
  /** Reservations that are over sooner are never written; see README.md. */
  readonly writeAfterMs?: number
}

/** When the database cannot be written it is tried again so often, and those who wait are let go after that. */
const retryMs = 250
const patienceMs = 1000

/**
 * Writes for many in one transaction: what is settled in one turn of the event loop is committed at its end, for 5 to
 * 10 µs whatever their number. One at a time a commit would take a tenth of a request.
 */
export function openJournal({ database, log, writeAfterMs = 50 }: JournalOptions): Journal {
  const rows = ledgerRows(database)
  const spendings = new Map<number, Spending[]>() // by key, one for each day
  const unwritten = new Map<Entry, number>() // since when, oldest first
  const onDisk = new Set<Entry>()
  const over = new Set<Entry>() // to be deleted
  let batch: PromiseWithResolvers<void> | undefined
  let failingSince: number | undefined
  let closed = false
  let timer: Timer | undefined

  const write = database.transaction((due: readonly Entry[]) => {
    for (const days of spendings.values()) for (const spending of days) rows.spend(spending)
    for (const { id } of over) rows.drop(id)
    for (const entry of due) rows.open(entry)
  })

  const commit = (olderThanMs = writeAfterMs) => {
    if (closed) return
    const before = performance.now() - olderThanMs
    const due: Entry[] = []
    for (const [entry, since] of unwritten) {
      if (since > before) break
      due.push(entry)
    }
    try {
      if (spendings.size + over.size + due.length > 0) write.immediate(due)
    } catch (error) {
      return fail(error)
    }
    if (failingSince !== undefined) log.info('the ledger is written again')
    failingSince = undefined
    spendings.clear()
    over.clear()
    for (const entry of due) {
      unwritten.delete(entry)
      onDisk.add(entry)
    }
    done()
  }
  const done = () => {
    const finished = batch
    batch = undefined
    finished?.resolve()
    if (unwritten.size > 0) later(writeAfterMs)
  }
  const fail = (err: unknown) => {
    if (failingSince === undefined) log.error({ err }, 'the ledger cannot be written; what is spent is only remembered until it can')
    failingSince ??= performance.now()
    if (!journal.healthy) done()
    clearTimeout(timer)
    timer = undefined
    later(retryMs)
  }
  const later = (ms: number) => {
    timer ??= setTimeout(() => {
      timer = undefined
      commit()
    }, ms).unref()
  }
  const soon = (): Promise<void> => {
    if (batch) return batch.promise
    batch = Promise.withResolvers()
    // while it fails, only the timer tries: each attempt may hold everybody up
    if (failingSince === undefined) setImmediate(() => commit())
    return batch.promise
  }
  const add = ({ day, account: { keyId } }: Entry, tokens: number, overrun: number) => {
    const days = spendings.get(keyId)
    const same = days?.find(spending => spending.day === day)
    if (same) {
      same.tokens += tokens
      same.overrun += overrun
    } else if (days) days.push({ keyId, day, tokens, overrun })
    else spendings.set(keyId, [{ keyId, day, tokens, overrun }])
  }
  const end = (entry: Entry) => {
    unwritten.delete(entry)
    if (!onDisk.delete(entry)) return
    over.add(entry)
    void soon()
  }

  const journal: Journal = {
    get healthy() {
      return failingSince === undefined || performance.now() - failingSince < patienceMs
    },
    spent(keyId, window) {
      let tokens = rows.spent(keyId, window)
      for (const { day, tokens: more } of spendings.get(keyId) ?? []) if (covers(window, day)) tokens += more
      return tokens
    },
    opened(entry) {
      unwritten.set(entry, performance.now())
      later(writeAfterMs)
    },
    resized(entry) {
      if (!onDisk.has(entry) || unwritten.has(entry)) return
      journal.opened(entry)
    },
    released: end,
    settled(entry, tokens) {
      end(entry)
      add(entry, tokens, Math.max(0, tokens - entry.tokens))
      return soon()
    },
    flush: () => commit(0),
    close() {
      commit(0)
      closed = true
      clearTimeout(timer)
      batch?.resolve()
    },
  }
  return journal
}
