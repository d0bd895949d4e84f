import { others, type UsagePlace, usageLimits } from '../usage.ts'

/** The names of a row that is there. */
export type NamesOfDay = Pick<UsagePlace, 'user' | 'model' | 'target'>

/** Says where new rows go, so that callers who choose names cannot make as many rows as they like. */
export interface UsageBounds {
  /** For a place that has no row yet: the very same when it may have one, else the one where it is counted instead. */
  admit(place: UsagePlace): UsagePlace
}

interface Names {
  readonly users: Set<string>
  readonly models: Set<string>
  readonly rows: Set<string>
}

/** For the rows of one transaction. `load` reads what a key has on a day; asked only when it gets a new row. */
export function createUsageBounds(load: (day: string, keyId: number) => readonly NamesOfDay[]): UsageBounds {
  const known = new Map<string, Names>()

  const namesOf = (day: string, keyId: number): Names => {
    const found = known.get(`${day} ${keyId}`)
    if (found) return found
    const names: Names = { users: new Set(), models: new Set(), rows: new Set() }
    for (const row of load(day, keyId)) note(names, row)
    known.set(`${day} ${keyId}`, names)
    return names
  }

  return {
    admit(place) {
      const names = namesOf(place.day, place.keyId)
      const full = names.rows.size >= usageLimits.rows
      const model = place.model === '' || mayJoin(names.models, place.model, usageLimits.models) ? place.model : others
      const user = place.user === '' || (!full && mayJoin(names.users, place.user, usageLimits.users)) ? place.user : others
      const admitted = model === place.model && user === place.user ? place : { ...place, model, user }
      note(names, admitted)
      return admitted
    },
  }
}

const mayJoin = (names: ReadonlySet<string>, name: string, most: number) => names.has(name) || names.size < most

function note({ users, models, rows }: Names, { user, model, target }: NamesOfDay): void {
  if (user !== '' && user !== others) users.add(user)
  if (model !== '' && model !== others) models.add(model)
  rows.add(JSON.stringify([user, model, target]))
}
