import type { Row, Rows } from './rows.ts'

/**
 * Models that were cleared while their answers are still in the file, with the last id that is meant; infinite for a file
 * that could not be read then. By their names in the file.
 */
export type Cleared = Map<string, number>

/** The name of a model as it stands in the file: any text is one, and SQLite does not take any. */
export const nameInFile = (model: string): string => JSON.stringify(model)

/** True for an answer that is not there any more, whatever the file says. */
export const isCleared = (cleared: Cleared, { model, id }: Row): boolean => id <= (cleared.get(model) ?? 0)

/** How many answers are in the file and were not cleared; of one model, or of all. */
export function countKept(rows: Rows, cleared: Cleared, model?: string): number {
  const count = (name: string, upTo: number) => rows.countOf(name, Math.min(upTo, rows.last))
  if (model === undefined) return [...cleared].reduce((sum, [name, upTo]) => sum - count(name, upTo), rows.entries)
  const name = nameInFile(model)
  return count(name, rows.last) - count(name, cleared.get(name) ?? 0)
}
