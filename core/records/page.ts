/** Which rows: those behind `after`, which is the `next` of the page before. */
export interface PageRequest {
  readonly after?: number
  readonly limit: number
}

/** Some rows, and where to go on; null after the last. */
export interface Page<T> {
  readonly rows: readonly T[]
  readonly next: number | null
}

/** A page that knows how many rows there are on all pages. */
export interface CountedPage<T> extends Page<T> {
  readonly total: number
}

/** Who makes a change, for the audit: `admin`, `command line`, `config`. Never a secret. */
export interface Author {
  readonly who: string
}

/** Cuts a page out of rows of which one more was asked for than the page holds. */
export function cutPage<T extends { readonly id: number }>(rows: readonly T[], limit: number): Page<T> {
  if (rows.length <= limit) return { rows, next: null }
  return { rows: rows.slice(0, limit), next: rows[limit - 1]?.id ?? null }
}

/** How names are compared in a search: the same in every implementation. */
export const fold = (text: string): string => text.normalize('NFKC').toLowerCase()
