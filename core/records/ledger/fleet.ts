import type { Database } from '../../sqlite.ts'
import type { Period } from '../ledger.ts'
import { type Window, windowOf } from './periods.ts'

/** What another instance had settled of a key in a window. */
export interface Sighting {
  readonly keyId: number
  readonly window: Window
  readonly instance: string
  readonly tokens: number
}

/** What this instance knows of itself and of the others, in SQLite. */
export interface Fleet {
  /** What the others know it by. */
  readonly name: string
  /** How often it was started. */
  readonly starts: number
  /** Keys of which something was settled here. */
  keys(): readonly number[]
  /** What the others had settled in a window when last heard of. */
  others(keyId: number, window: Window): readonly Pick<Sighting, 'instance' | 'tokens'>[]
  /** Notes what was heard. What an instance settled never becomes less. */
  remember(sightings: readonly Sighting[]): void
  /** Takes another name, and from now on counts what was settled here so far as that of somebody else. */
  rename(today: number): void
}

const periods: readonly Period[] = ['total', 'month', 'day']
const keep = 'ON CONFLICT DO UPDATE SET tokens = max(tokens, excluded.tokens)'
const newName = () => crypto.randomUUID()

/** Notes the start, and forgets what others settled in periods that are over. */
export function openFleet(database: Database, today: number): Fleet {
  const keys = database.query<{ key_id: number }, []>('SELECT DISTINCT key_id FROM ledger_spent')
  const others = database.query<{ instance: string; tokens: number }, number[]>(
    'SELECT instance, tokens FROM ledger_seen WHERE key_id = ? AND first = ? AND last = ?',
  )
  const see = database.query<unknown, (number | string)[]>(
    `INSERT INTO ledger_seen (key_id, first, last, instance, tokens) VALUES (?, ?, ?, ?, ?) ${keep}`,
  )
  const remember = database.transaction((sightings: readonly Sighting[]) => {
    for (const { keyId, window, instance, tokens } of sightings) see.run(keyId, window.first, window.last, instance, tokens)
  })
  const rename = database.transaction(({ name: before, starts }: Self, day: number) => {
    for (const { first, last } of periods.map(period => windowOf(period, day))) {
      const own = 'SELECT key_id, ?, ?, ?, sum(tokens) FROM ledger_spent WHERE day >= ? AND day < ? GROUP BY key_id'
      const move = `INSERT INTO ledger_seen (key_id, first, last, instance, tokens) ${own} ${keep}`
      database.query<unknown, (number | string)[]>(move).run(first, last, before, first, last)
    }
    database.run('DELETE FROM ledger_spent')
    return write(database, { name: newName(), starts })
  })
  database.query<unknown, number[]>('DELETE FROM ledger_seen WHERE last <= ?').run(today)
  let self = start(database)
  return {
    get name() {
      return self.name
    },
    get starts() {
      return self.starts
    },
    keys: () => keys.all().map(row => row.key_id),
    others: (keyId, { first, last }) => others.all(keyId, first, last),
    remember(sightings) {
      if (sightings.length > 0) remember.immediate(sightings)
    },
    rename(day) {
      self = rename.immediate(self, day)
    },
  }
}

interface Self {
  readonly name: string
  readonly starts: number
}

function start(database: Database): Self {
  const before = database.query<Self, []>('SELECT name, starts FROM ledger_self').get()
  return database.transaction(() => write(database, { name: before?.name ?? newName(), starts: (before?.starts ?? 0) + 1 })).immediate()
}

function write(database: Database, self: Self): Self {
  database.run('DELETE FROM ledger_self')
  database.query<unknown, (number | string)[]>('INSERT INTO ledger_self (name, starts) VALUES (?, ?)').run(self.name, self.starts)
  return self
}
