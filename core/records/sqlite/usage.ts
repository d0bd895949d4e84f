import type { Database } from '../../sqlite.ts'
import { type UsagePlace, type UsageRecords, type UsageRow, usagePlaceOf } from '../usage.ts'
import { createUsageBounds, type NamesOfDay } from './usage-bounds.ts'
import { countColumns, countNames } from './usage-columns.ts'
import { usageQuery } from './usage-query.ts'

const counts = Object.values(countColumns)
const samePlace = 'day = ? AND key_id = ? AND user = ? AND model = ? AND target = ?'

/** Usage in SQLite. `add` answers synchronously. */
export function sqliteUsage(database: Database): UsageRecords {
  const increase = database.prepare(`UPDATE usage SET ${counts.map(column => `${column} = ${column} + ?`).join(', ')} WHERE ${samePlace}`)
  const insert = database.prepare(
    `INSERT INTO usage (${counts.join(', ')}, day, key_id, user, model, target) VALUES (${counts.map(() => '?').join(', ')}, ?, ?, ?, ?, ?)`,
  )
  const names = database.prepare<NamesOfDay, [string, number]>('SELECT user, model, target FROM usage WHERE day = ? AND key_id = ?')
  const query = usageQuery(database)

  const increased = (row: UsageRow, place: UsagePlace) => increase.run(...countsOf(row), ...placeOf(place)).changes > 0
  const add = database.transaction((rows: readonly UsageRow[]) => {
    const bounds = createUsageBounds((day, keyId) => names.all(day, keyId))
    for (const row of rows) {
      const place = usagePlaceOf(row)
      if (increased(row, place)) continue
      const admitted = bounds.admit(place)
      if (admitted !== place && increased(row, admitted)) continue
      insert.run(...countsOf(row), ...placeOf(admitted))
    }
  })
  return { add: rows => add.immediate(rows), query }
}

const placeOf = ({ day, keyId, user, model, target }: UsagePlace) => [day, keyId, user, model, target] as const

/** Times come with fractions. */
const countsOf = (row: UsageRow) => countNames.map(name => Math.round(row[name]))
