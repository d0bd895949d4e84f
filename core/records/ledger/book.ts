import type { Account, Bounds } from '../ledger.ts'
import type { Change, Entry, Sum } from './entry.ts'
import type { Journal } from './journal.ts'
import { covers, dayOf, type Window } from './periods.ts'

/** What this process knows of keys: sums by window, and the reservations that are open here. Decides nothing. */
export interface Book {
  /** The sum of a window, live. */
  sum(keyId: number, window: Window): Sum
  /** What is open here in a window. */
  reserved(keyId: number, window: Window): Bounds
  find(id: number): Entry | undefined
  open(account: Account, window: Window, at: number, bounds: Bounds): Entry
  resize(entry: Entry, bounds: Bounds): void
  settle(entry: Entry, tokens: number): Promise<void>
  release(entry: Entry): void
  /** Reads all sums anew when they are asked for. */
  forget(): void
  /** The listener hears of each change when it has been made. The result ends that. */
  watch(listener: (entry: Entry, change: Change) => void): () => void
}

interface Page {
  /** Those of the current windows, mostly one. */
  sums: readonly Sum[]
  readonly open: Set<Entry>
}

/** Keys that were not used for a while are looked up again rather than kept. */
const fewPages = 10_000

/** Begins with what the journal says; `seen` is what other instances settled. */
export function openBook(journal: Journal, seen: (keyId: number, window: Window) => number): Book {
  const pages = new Map<number, Page>()
  const entries = new Map<number, Entry>()
  const listeners = new Set<(entry: Entry, change: Change) => void>()
  let lastId = 0
  let mostPages = fewPages

  const pageOf = (keyId: number): Page => {
    const known = pages.get(keyId)
    if (known) return known
    if (pages.size >= mostPages) {
      for (const [id, { open }] of pages) if (open.size === 0) pages.delete(id)
      mostPages = Math.max(fewPages, 2 * pages.size)
    }
    const page: Page = { sums: [], open: new Set() }
    pages.set(keyId, page)
    return page
  }
  const reserved = (keyId: number, window: Window): Bounds => {
    let tokens = 0
    let estimate = 0
    for (const entry of pages.get(keyId)?.open ?? []) {
      if (!covers(window, entry.day)) continue
      tokens += entry.tokens
      estimate += entry.estimate
    }
    return { tokens, estimate }
  }
  const sum = (keyId: number, window: Window): Sum => {
    const page = pageOf(keyId)
    for (const known of page.sums) if (known.window.first === window.first && known.window.last === window.last) return known
    const fresh: Sum = {
      window,
      used: journal.spent(keyId, window),
      reserved: reserved(keyId, window).tokens,
      others: seen(keyId, window),
    }
    // of the windows that are over only those are still of use in which something is open
    const used = page.sums.filter(known => known.window.last > window.first || known.reserved > 0)
    page.sums = [...used, fresh]
    return fresh
  }
  const change = (entry: Entry, made: Change) => {
    for (const known of pageOf(entry.account.keyId).sums) {
      if (!covers(known.window, entry.day)) continue
      known.used += made.used
      known.reserved += made.tokens
    }
    for (const listener of listeners) listener(entry, made)
  }
  const close = (entry: Entry, used: number) => {
    entries.delete(entry.id)
    pageOf(entry.account.keyId).open.delete(entry)
    change(entry, { used, tokens: -entry.tokens, estimate: -entry.estimate })
  }

  return {
    sum,
    reserved,
    find: id => entries.get(id),
    open(account, window, at, bounds) {
      const entry: Entry = { id: ++lastId, account, window, day: dayOf(at), ...bounds }
      entries.set(entry.id, entry)
      pageOf(account.keyId).open.add(entry)
      journal.opened(entry)
      change(entry, { used: 0, ...bounds })
      return entry
    },
    resize(entry, { tokens, estimate }) {
      const made = { used: 0, tokens: tokens - entry.tokens, estimate: estimate - entry.estimate }
      entry.tokens = tokens
      entry.estimate = estimate
      journal.resized(entry)
      change(entry, made)
    },
    settle(entry, tokens) {
      const settled = journal.settled(entry, tokens)
      close(entry, tokens)
      return settled
    },
    release(entry) {
      journal.released(entry)
      close(entry, 0)
    },
    forget() {
      for (const page of pages.values()) page.sums = []
    },
    watch(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
