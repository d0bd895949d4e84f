import { type Database, sqliteCode } from '../../sqlite.ts'
import { isNewer, type Kind, type Mark, readRow, type SharedRow } from './row.ts'
import type { Displaced, Shelf } from './shelf.ts'
import type { Ids, PlacedText, Position } from './talk.ts'

/** A row's place. */
export interface Place {
  readonly kind: Kind
  readonly id: number
}

/** A row that is here now, or gone from here. */
export interface Touched extends Place {
  /** Its version is none that is later than that of the row before: Redis had lost that one. */
  readonly sameVersion?: boolean
}

/** What came of rows that were heard of. */
export interface Taken {
  readonly touched: readonly Touched[]
  /** What is here is newer. */
  readonly older: readonly Place[]
  /** Their ids are here those of other rows. */
  readonly strangers: readonly Place[]
  /** They make no sense. */
  readonly broken: readonly Place[]
  /** They are gone from here, because others have their names now. When they have other names themselves that is heard of next. */
  readonly displaced: readonly (Place & Displaced)[]
}

/** All that is shared, as this instance knows it: in SQLite, so that it is there without Redis and for the next start. */
export interface Mirror {
  /** Everything up to here is known, and nothing else. */
  readonly position: Position
  mark(kind: Kind, id: number): Mark | undefined
  /** The ids of what is known, also of what is gone. */
  ids(kind: Kind, first: number, last: number): readonly number[]
  /** A row as others must know it; undefined when it is not here. */
  row(kind: Kind, id: number): SharedRow | undefined
  lastIds(): Ids
  /** Takes in the rows that are newer than what is here, in one transaction with `also` and the new position. */
  take(rows: readonly PlacedText[], to?: Position, also?: () => void): Taken
  /** Writes a row, whatever is here. */
  write(place: Place, row: SharedRow): void
  /** Notes that Redis does not know the position any more. */
  lose(): void
}

/** Opens it over the shelves on which the rows are. */
export function openMirror(database: Database, shelves: Readonly<Record<Kind, Shelf>>): Mirror {
  const one = database.prepare<Mark, [string, number]>(
    'SELECT version, state, at, change, origin FROM shared_rows WHERE kind = ? AND id = ?',
  )
  const some = database.prepare<{ readonly id: number }, [string, number, number]>(
    'SELECT id FROM shared_rows WHERE kind = ? AND id BETWEEN ? AND ? ORDER BY id',
  )
  const put = database.prepare(
    'INSERT OR REPLACE INTO shared_rows (kind, id, version, state, at, change, origin, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const forget = database.prepare<unknown, [string, number]>('DELETE FROM shared_rows WHERE kind = ? AND id = ?')
  const move = database.prepare<unknown, [number, string]>('UPDATE shared_position SET seq = ?, change = ?')
  const lastOf = database.prepare<{ readonly id: number | null }, [string, string]>(
    'SELECT max(id) AS id FROM (SELECT max(id) AS id FROM shared_rows WHERE kind = ? UNION ALL SELECT seq FROM sqlite_sequence WHERE name = ?)',
  )
  let position = database.query('SELECT seq, change FROM shared_position').get() as Position

  /** Answers the rows that were in its way: they are forgotten, so that they are taken in again when they are heard of. */
  const write = ({ kind, id }: Place, row: SharedRow): readonly Displaced[] => {
    const gone = row.state === 'gone'
    const others = gone ? [] : shelves[kind].put(id, row)
    if (gone) shelves[kind].remove(id)
    for (const other of others) forget.run(kind, other.id)
    put.run(kind, id, row.version, row.state, row.at, row.change, row.origin, kind === 'settings' ? row.body : null)
    return others
  }
  const writeWhole = database.transaction(write) // or what is in the way of a row that makes no sense would be gone
  const mark = (kind: Kind, id: number) => one.get(kind, id) ?? undefined

  return {
    get position() {
      return position
    },
    mark,
    ids: (kind, first, last) => some.all(kind, first, last).map(({ id }) => id),
    row(kind, id) {
      const known = mark(kind, id)
      const body = known?.state === 'gone' ? '' : shelves[kind].body(id)
      return known && body !== undefined ? { ...known, body } : undefined
    },
    lastIds: () => ({ key: lastOf.get('key', 'keys')?.id ?? 0, model: lastOf.get('model', 'models')?.id ?? 0 }),
    take(rows, to, also) {
      const taken = {
        touched: [] as Touched[],
        older: [] as Place[],
        strangers: [] as Place[],
        broken: [] as Place[],
        displaced: [] as (Place & Displaced)[],
      }
      const takeOne = (place: PlacedText) => {
        const row = readRow(place.text)
        if (!row) return taken.broken.push(place)
        const known = mark(place.kind, place.id)
        if (known?.change === row.change) return
        if (known && known.origin !== row.origin) return taken.strangers.push(place)
        if (known && !isNewer(row, known)) return taken.older.push(place)
        try {
          const others = writeWhole(place, row)
          taken.displaced.push(...others.map(other => ({ ...other, kind: place.kind })))
          const { kind, id } = place
          taken.touched.push({ kind, id, sameVersion: known !== undefined && known.version >= row.version })
          taken.touched.push(...others.map(other => ({ kind, id: other.id })))
        } catch (error) {
          if (!makesNoSense(error)) throw error
          taken.broken.push(place)
        }
      }
      const work = database.transaction(() => {
        for (const place of rows) takeOne(place)
        if (to) move.run(to.seq, to.change)
        also?.()
      })
      work.immediate()
      if (to) position = to
      return taken
    },
    write,
    lose() {
      position = { seq: position.seq, change: '' }
      move.run(position.seq, position.change)
    },
  }
}

/** Not ours to repair: what somebody else wrote to Redis. A full disk is another matter. */
const makesNoSense = (error: unknown) =>
  error instanceof SyntaxError || error instanceof TypeError || sqliteCode(error)?.startsWith('SQLITE_CONSTRAINT') === true
