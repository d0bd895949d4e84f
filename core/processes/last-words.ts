import type { OutputLine } from './output-buffer.ts'

/** Between lines that may have been written in another order than they were read in. */
const momentMs = 2_000

/**
 * The last lines of a program that has ended, without ours. It writes to two pipes, and which of them is read first is luck: so half
 * of the room is for what it said last on stderr, where the reason stands, however much it has said elsewhere at that moment.
 */
export function lastWords(lines: readonly OutputLine[], most: number): readonly OutputLine[] {
  const own = lines.filter(({ from }) => from !== 'gatehouse')
  const newest = own.at(-1)?.at ?? 0
  const reasons = own.filter(({ from, at }) => from === 'stderr' && newest - at <= momentMs).slice(-Math.floor(most / 2))
  const chosen = new Set(reasons)
  const others = own.filter(line => !chosen.has(line)).slice(reasons.length - most)
  return [...others, ...reasons].sort((a, b) => a.id - b.id)
}
