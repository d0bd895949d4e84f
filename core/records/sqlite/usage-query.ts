import type { Database } from '../../sqlite.ts'
import type { UsageDimension, UsageQuery, UsageSum } from '../usage.ts'
import { createTurns } from './turns.ts'
import { countColumns, countNames, dimensionColumns } from './usage-columns.ts'

const sums = Object.entries(countColumns).map(([name, column]) => `sum(${column}) AS ${name}`)

/** Makes the query. Statements are kept by the database, which has one for each set of dimensions at most. */
export function usageQuery(database: Database): (query: UsageQuery) => Promise<readonly UsageSum[]> {
  const nextDay = database.prepare<{ readonly day: string | null }, [string]>('SELECT min(day) AS day FROM usage WHERE day >= ?')

  return async ({ from, to, by, keyId }) => {
    const columns = by.map(dimension => `${dimensionColumns[dimension]} AS ${dimension}`)
    const groups = by.map(dimension => dimensionColumns[dimension])
    const statement = database.query<UsageSum, (string | number)[]>(
      `SELECT ${[...columns, ...sums].join(', ')} FROM usage WHERE day = ?${keyId === undefined ? '' : ' AND key_id = ?'}` +
        ` GROUP BY ${groups.length === 0 ? 'day' : groups.join(', ')}`,
    )
    const found = new Map<string, UsageSum>()
    const turn = createTurns()
    for (let day = nextDay.get(from)?.day; day && day <= to; day = nextDay.get(`${day}~`)?.day) {
      for (const sum of statement.all(...(keyId === undefined ? [day] : [day, keyId]))) {
        const place = JSON.stringify(by.map(dimension => sum[dimension]))
        found.set(place, plus(found.get(place), sum))
      }
      await turn()
    }
    return [...found.values()].sort((a, b) => compare(a, b, by))
  }
}

function plus(a: UsageSum | undefined, b: UsageSum): UsageSum {
  if (!a) return b
  return { ...b, ...Object.fromEntries(countNames.map(name => [name, a[name] + b[name]])) }
}

function compare(a: UsageSum, b: UsageSum, by: readonly UsageDimension[]): number {
  for (const dimension of by) {
    const [one, other] = [a[dimension] as string | number, b[dimension] as string | number]
    if (one !== other) return one < other ? -1 : 1
  }
  return 0
}
