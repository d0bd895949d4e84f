import type { KeptAnswer } from '../../kept.ts'
import type { Limits } from '../../memory/memory.ts'
import { openSqliteShelf } from '../sqlite.ts'
import { answerOf, any, keyOf, roomy } from './answers.ts'
import { keepLog } from './log.ts'

export interface SqliteSettings extends Partial<Limits> {
  readonly clock?: { ms: number }
}

/** Opens a SQLite shelf for tests, with its log and its clock; it is closed at the end of the block. Answers go by names. */
export function openForTest(path: string, { clock = { ms: 1_700_000_000_000 }, ...limits }: SqliteSettings = {}) {
  const { log, lines } = keepLog()
  const shelf = openSqliteShelf({ path, limits: { ...roomy, ...limits }, log, now: () => clock.ms })
  const get = (name: string | number, maxAgeMs = any) => shelf.get(keyOf(name), maxAgeMs) as KeptAnswer | undefined
  const set = (name: string | number, length = 10, seed = 0, model = 'm') => shelf.set(keyOf(name), answerOf(model, length, seed))
  const has = (name: string | number) => get(name) !== undefined
  return { shelf, lines, clock, get, set, has, [Symbol.asyncDispose]: async () => shelf.close() }
}
