/** What counts in the choice of who goes. */
export interface Candidate {
  readonly model: string
  readonly lastUsedAt: number
  readonly footprint: number
}

/**
 * Who of the candidates goes: the most recently used of them is as old as possible; of such sets the one with the fewest;
 * of these the one whose oldest are the oldest. `enough` must not mind who goes, only how many and with what footprints, and
 * must not take back its yes when more go. Undefined when even all of them are not enough.
 */
export function leastRecent<Each extends Candidate>(
  candidates: readonly Each[],
  enough: (going: readonly Each[]) => boolean,
): readonly Each[] | undefined {
  if (enough([])) return []
  const byAge = candidates.toSorted((a, b) => a.lastUsedAt - b.lastUsedAt || (a.model < b.model ? -1 : 1))
  const count = byAge.findIndex((_, index) => enough(byAge.slice(0, index + 1)))
  const last = byAge[count]
  if (!last) return undefined
  // without the last one all those before it were not enough: it goes in any case, and nobody behind it
  const older = byAge.slice(0, count)
  const fewest = largest(older).findIndex((_, index, sorted) => enough([last, ...sorted.slice(0, index)]))
  const wanted = fewest < 0 ? older.length : fewest
  const going: Each[] = []
  for (const [index, each] of older.entries()) {
    if (going.length === wanted) break
    const later = largest(older.slice(index + 1)).slice(0, wanted - going.length - 1)
    if (enough([last, ...going, each, ...later])) going.push(each)
  }
  return [...going, last]
}

const largest = <Each extends Candidate>(candidates: readonly Each[]) => candidates.toSorted((a, b) => b.footprint - a.footprint)
