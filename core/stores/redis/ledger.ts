import type { Logger } from '../../log.ts'
import { type Change, describeBalance, type Entry, reservationOf, wholeBounds, wholeTokens } from '../../records/ledger/entry.ts'
import type { Local } from '../../records/ledger/local.ts'
import { dayOf, startOf } from '../../records/ledger/periods.ts'
import { gone } from '../../records/ledger/sqlite.ts'
import type { Account, Bounds, Grant, Ledger } from '../../records/ledger.ts'
import type { Database } from '../../sqlite.ts'
import { joinFleet } from './ledger-fleet.ts'
import type { Shared, Total } from './ledger-shared.ts'
import type { RedisLink } from './link.ts'
import { unavailable } from './unavailable.ts'

export interface RedisLedgerOptions {
  readonly local: Local
  /** That of `local`. */
  readonly database: Database
  readonly link: RedisLink
  readonly log: Logger
  /** With it days go by that clock, else by that of Redis. */
  readonly now?: () => number
  /** How often this instance gives a sign of life, and how long the others take it for alive without one. */
  readonly beatMs?: number
  readonly lastsMs?: number
  /** For so long a decision is tried again when Redis had lost something. */
  readonly retryForMs?: number
}

/** How often a reservation is tried again because it is another day by the clock of Redis. */
const mostDays = 3

/**
 * The ledger of a gateway with several instances: Redis decides, in one step, and each instance keeps what it settled
 * itself in its SQLite. Without Redis an instance decides alone, by what it knows, or refuses, as `on_error` says.
 */
export function redisLedger(options: RedisLedgerOptions): Ledger {
  const { local, link, now } = options
  const { book } = local
  let aheadMs = 0 // of our clock, that of Redis
  const clock = now ?? (() => Date.now() + aheadMs)
  const fleet = joinFleet({ ...options, clock })
  const { talk } = fleet

  let closed = false

  const grant = (entry: Entry): Grant => ({ granted: true, reservation: reservationOf(entry) })
  const mustAsk = ({ limit }: Account) => limit !== null && link.state === 'up' && !closed
  // what Redis has granted it knows; of everything else it is told, whoever made it
  let granting = false
  const granted = <T>(make: () => T): T => {
    granting = true
    try {
      return make()
    } finally {
      granting = false
    }
  }
  const unwatch = book.watch((entry, change) => {
    const shared = fleet.used(entry.account.keyId, entry.window)
    if (!granting) talk.pass(shared, change)
  })
  const hear = ({ keyId, window }: Shared, { used, ownUsed }: Total) => {
    book.sum(keyId, window).others = used - ownUsed
  }
  const decideAlone = ({ limit }: Account) => {
    if (limit !== null && link.onError === 'deny' && !closed) throw unavailable()
  }

  const reserveAlone = (account: Account, bounds: Bounds): Grant => {
    decideAlone(account)
    const at = clock()
    const entry = local.reserve(account, at, bounds)
    return entry ? grant(entry) : { granted: false, balance: local.balance(account, local.windowOf(account, at)) }
  }
  const reserveShared = async (account: Account, limit: number, bounds: Bounds): Promise<Grant> => {
    for (let day = 0; day < mostDays; day++) {
      const at = clock()
      const window = local.windowOf(account, at)
      const shared = fleet.used(account.keyId, window)
      const ask = { limit, dayStart: startOf(dayOf(at)) }
      const open = (total: Total) => {
        hear(shared, total)
        return granted(() => book.open(account, window, at, bounds))
      }
      const answer = await talk.step(shared, { used: 0, ...bounds }, ask, open)
      if (answer.came === 'granted') return grant(answer.done)
      if (answer.came === 'refused') {
        hear(shared, answer.total)
        return { granted: false, balance: describeBalance(window, limit, answer.total.used, answer.total.open) }
      }
      aheadMs = answer.at - Date.now()
    }
    throw new Error('the clock of Redis is not to be followed')
  }

  const extendAlone = (entry: Entry, bounds: Bounds): Grant => {
    const { account, window, tokens } = entry
    if (bounds.tokens > tokens) decideAlone(account)
    return local.extend(entry, bounds) ? grant(entry) : { granted: false, balance: local.balance(account, window) }
  }
  const extendShared = async (entry: Entry, limit: number, bounds: Bounds): Promise<Grant> => {
    const { account, window } = entry
    const shared = fleet.used(account.keyId, window)
    const more: Change = { used: 0, tokens: bounds.tokens - entry.tokens, estimate: bounds.estimate - entry.estimate }
    const answer = await talk.step(shared, more, { limit }, total => {
      hear(shared, total)
      const isOver = book.find(entry.id) === undefined
      if (isOver) return talk.pass(shared, { used: 0, tokens: -more.tokens, estimate: -more.estimate })
      granted(() => book.resize(entry, { tokens: entry.tokens + more.tokens, estimate: entry.estimate + more.estimate }))
    })
    if (answer.came === 'granted') return book.find(entry.id) ? grant(entry) : gone(entry.id)
    if (answer.came === 'refused') return { granted: false, balance: describeBalance(window, limit, answer.total.used, answer.total.open) }
    throw new Error('a day was asked for')
  }

  return {
    reserve(account, asked) {
      local.checkDisk(account)
      const bounds = wholeBounds(asked)
      if (!mustAsk(account)) return reserveAlone(account, bounds)
      return reserveShared(account, account.limit as number, bounds).catch(() => reserveAlone(account, bounds))
    },
    extend({ id }, asked) {
      const entry = book.find(id) ?? gone(id)
      const bounds = wholeBounds(asked)
      const { account } = entry
      if (!mustAsk(account) || bounds.tokens <= entry.tokens) return extendAlone(entry, bounds)
      local.checkDisk(account)
      return extendShared(entry, account.limit as number, bounds).catch(() => extendAlone(book.find(id) ?? gone(id), bounds))
    },
    settle({ id }, tokens) {
      const entry = book.find(id)
      return entry ? book.settle(entry, wholeTokens(tokens)) : Promise.resolve()
    },
    release({ id }) {
      const entry = book.find(id)
      if (entry) book.release(entry)
    },
    balance(account) {
      const window = local.windowOf(account, clock())
      const known = () => local.balance(account, window)
      if (link.state === 'down' || closed) return known()
      const shared = fleet.shared(account.keyId, window)
      return talk.look(shared).then(total => {
        hear(shared, total)
        const { used, others, reserved } = book.sum(account.keyId, window)
        return describeBalance(window, account.limit, used + others, reserved + total.open - total.ownOpen)
      }, known)
    },
    close() {
      closed = true
      unwatch()
      fleet.leave()
    },
  }
}
