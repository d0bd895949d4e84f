/** What keys use of what they ask for. */
export interface Habits {
  /** What a request with this bound will probably cost; never more than the bound. */
  expect(key: string, bound: number): number
  /** A request with this bound has used so much. */
  learn(key: string, bound: number, used: number): void
}

/** Keys that are remembered; the one that was not learned of for the longest time goes. */
const mostKeys = 1024
/** The share comes down slowly and goes up at once, so that nobody gets many large requests in for the price of small ones. */
const newestShare = 1 / 8

/**
 * Who does not say how long an answer may be has bounds as large as the context, and uses a hundredth of that. As long as
 * such requests run, they count with what they are charged at first: with 8 places, bounds of 32,000 tokens and 500 of them
 * used, a key was 97,000 tokens behind one with exact bounds, which this halves, and does away with in the long run.
 */
export function createHabits(): Habits {
  const shares = new Map<string, number>()
  return {
    expect: (key, bound) => bound * (shares.get(key) ?? 1),
    learn(key, bound, used) {
      if (used <= 0) return // it failed, which says nothing of the others
      const share = Math.min(1, used / bound)
      const before = shares.get(key) ?? 1
      shares.delete(key)
      shares.set(key, share > before ? share : before + (share - before) * newestShare)
      if (shares.size <= mostKeys) return
      for (const oldest of shares.keys()) {
        shares.delete(oldest)
        return
      }
    },
  }
}
