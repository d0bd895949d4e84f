import type { Database } from '../../sqlite.ts'
import { shortestBeginning } from '../keys.ts'
import { fold } from '../page.ts'
import { createTurns } from './turns.ts'

/** What a search has found: how many, and the first of them behind a place. */
export interface Found {
  readonly total: number
  readonly ids: readonly number[]
}

/** So many ids are looked at in one step: 3 ms when there is a key for each. */
const stepSize = 4000

/**
 * Searches names and beginnings of keys. No index helps with the middle of a name, and 100,000 keys take 60 ms, so it goes
 * in steps. `most` is how many ids are wanted.
 */
export function keySearch(database: Database): (search: string, after: number, most: number) => Promise<Found> {
  const last = database.prepare<{ readonly id: number | null }, []>('SELECT max(id) AS id FROM keys')
  // the second parameter is empty when the search is too short to be the beginning of a key
  const matching = database.prepare<{ readonly id: number }, [string, string, number, number]>(`
    SELECT id FROM keys WHERE id > ?3 AND id <= ?4 AND (
      instr(folded_name, ?1) > 0
      OR (?2 <> '' AND prefix <> '' AND substr(prefix, 1, length(?2)) = substr(?2, 1, length(prefix)))
    ) ORDER BY id`)

  return async (search, after, most) => {
    const turn = createTurns()
    const beginning = search.length < shortestBeginning ? '' : search
    const ids: number[] = []
    let total = 0
    for (let from = 0; from < (last.get()?.id ?? 0); from += stepSize) {
      for (const { id } of matching.all(fold(search), beginning, from, from + stepSize)) {
        total++
        if (id > after && ids.length < most) ids.push(id)
      }
      await turn()
    }
    return { total, ids }
  }
}
