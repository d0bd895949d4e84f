import { ConfigError } from '../../errors.ts'
import type { Row } from './texts.ts'

/** The admin API gives no more at a time. */
const largestPage = 1000

/** What `--limit` says: how many rows are wanted at most. */
export function readLimit(text: string | undefined, usual: number): number {
  if (text === undefined) return usual
  if (text === 'none' || text === 'unlimited') return Number.POSITIVE_INFINITY
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new ConfigError(`--limit must be a whole number from 1, or none, not "${text}"`)
}

/** Rows of all pages, as one page that the admin API might have answered. */
export interface Rows extends Row {
  readonly data: readonly Row[]
  /** Where those begin that are left out; null when none are. */
  readonly next: unknown
}

/** Asks for one page after the other, until all rows are there or as many as are wanted. */
export async function askForRows(
  ask: (path: string) => Promise<Row>,
  path: string,
  wanted: number,
  query: Readonly<Record<string, string | undefined>> = {},
): Promise<Rows> {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const rows: Row[] = []
  const been = new Set<unknown>()
  for (let after: unknown; ; ) {
    const limit = Math.min(largestPage, wanted - rows.length)
    const page = { limit: String(limit), ...(after !== undefined && { after: String(after) }) }
    const answer = await ask(`${path}?${new URLSearchParams([...given, ...Object.entries(page)])}`)
    rows.push(...dataOf(answer))
    const { next = null } = answer
    if (next === null || rows.length >= wanted) return { ...answer, data: rows, next }
    if (been.has(next)) throw new ConfigError('the pages of the answer lead in a circle; is that gatehouse of another release?')
    been.add(next)
    after = next
  }
}

/** The rows of an answer. Throws a ConfigError when there is no list of them. */
export function dataOf({ data }: Row): readonly Row[] {
  if (Array.isArray(data)) return data as Row[]
  throw new ConfigError('the answer holds no list; is that gatehouse of another release?')
}
