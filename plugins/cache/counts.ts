/** What the cache has done since the start; `GET /admin/cache` tells it. */
export interface Counts {
  hits: number
  misses: number
  /** Requests that got an answer which was already on its way to somebody else. */
  joins: number
  bypasses: number
  /** Prompt and completion tokens of hits and joins: what their answers would have cost. */
  tokensSaved: number
  /** How long their answers took to make. */
  msSaved: number
}

export const noCounts = (): Counts => ({ hits: 0, misses: 0, joins: 0, bypasses: 0, tokensSaved: 0, msSaved: 0 })
