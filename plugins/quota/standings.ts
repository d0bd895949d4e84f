import type { Account, Balance, Gateway, IndexedKey } from 'gatehouse'

/** How a key stood when the ledger last said so, less what was set aside here since. */
interface Standing {
  remaining: number
  askedAt: number
}

/** Others spend too: how a key stands is asked anew after so long. */
const goodForMs = 1000

/**
 * What is believed of keys whose ledger is elsewhere. To ask for the balance before each request would be one more way there;
 * whoever believes too much is refused, and asks then.
 */
export function createStandings({ ledger, log }: Pick<Gateway, 'ledger' | 'log'>, accountOf: (key: IndexedKey) => Account) {
  const standings = new WeakMap<IndexedKey, Standing>()
  const note = (key: IndexedKey, balance: Balance): Balance => {
    standings.set(key, { remaining: balance.remaining ?? 0, askedAt: performance.now() })
    return balance
  }
  const complain = (err: unknown) => log.warn({ err }, 'how a key stands could not be asked')

  return {
    /** Of a key that nobody asked for, nothing. */
    remaining: (key: IndexedKey): number => standings.get(key)?.remaining ?? 0,
    note,
    /** Sets tokens aside, and asks beside the request when it was long ago. */
    take(key: IndexedKey, tokens: number): void {
      const standing = standings.get(key)
      if (!standing) return
      standing.remaining -= tokens
      const now = performance.now()
      if (now - standing.askedAt < goodForMs) return
      standing.askedAt = now
      const balance = ledger.balance(accountOf(key))
      if (balance instanceof Promise) balance.then(late => note(key, late)).catch(complain)
      else note(key, balance)
    },
  }
}
