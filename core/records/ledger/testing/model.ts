import type { Account, Balance, Bounds } from '../../ledger.ts'

/** A request in the model. */
export interface ModelRequest {
  readonly account: Account
  readonly at: number
  bounds: Bounds
}

/** The ledger as plainly as it can be written: lists, summed up again for each question. */
export interface LedgerModel {
  readonly open: Set<ModelRequest>
  /** Undefined when it does not fit. */
  reserve(account: Account, at: number, bounds: Bounds): ModelRequest | undefined
  extend(request: ModelRequest, bounds: Bounds): boolean
  settle(request: ModelRequest, tokens: number): void
  release(request: ModelRequest): void
  balance(account: Account, at: number): Balance
}

/** Two times in the same period, told by their dates. */
const samePeriod = ({ period }: Account, one: number, other: number): boolean => {
  const length = { total: 0, month: 'yyyy-mm'.length, day: 'yyyy-mm-dd'.length }[period]
  return new Date(one).toISOString().slice(0, length) === new Date(other).toISOString().slice(0, length)
}

const endOf = ({ period }: Account, at: number): number | null => {
  if (period === 'total') return null
  const date = new Date(at)
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
  return period === 'month' ? Date.UTC(year, month + 1) : Date.UTC(year, month, day + 1)
}

/** Nothing spent. */
export function ledgerModel(): LedgerModel {
  const spent: { readonly keyId: number; readonly at: number; readonly tokens: number }[] = []
  const open = new Set<ModelRequest>()
  const balance = (account: Account, at: number): Balance => {
    let used = 0
    let reserved = 0
    for (const row of spent) if (row.keyId === account.keyId && samePeriod(account, row.at, at)) used += row.tokens
    for (const row of open) {
      if (row.account.keyId === account.keyId && samePeriod(account, row.at, at)) reserved += row.bounds.tokens
    }
    const { limit } = account
    return {
      limit,
      used,
      reserved,
      remaining: limit === null ? null : Math.max(0, limit - used - reserved),
      resetAt: endOf(account, at),
    }
  }
  const fits = (account: Account, at: number, more: number) => {
    const { used, reserved } = balance(account, at)
    return account.limit === null || used + reserved + more <= account.limit
  }
  return {
    open,
    reserve(account, at, bounds) {
      if (!fits(account, at, bounds.tokens)) return undefined
      const request = { account, at, bounds }
      open.add(request)
      return request
    },
    extend(request, bounds) {
      const more = bounds.tokens - request.bounds.tokens
      if (more > 0 && !fits(request.account, request.at, more)) return false
      request.bounds = bounds
      return true
    },
    settle(request, tokens) {
      if (open.delete(request)) spent.push({ keyId: request.account.keyId, at: request.at, tokens })
    },
    release: request => void open.delete(request),
    balance,
  }
}
