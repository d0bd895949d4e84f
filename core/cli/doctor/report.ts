import type { NamedFinding, Status } from './finding.ts'

/** What `--json` prints. */
export interface Report {
  /** False when there is a problem. */
  readonly ok: boolean
  readonly checks: readonly NamedFinding[]
}

/** The report of what was found. */
export const reportOf = (checks: readonly NamedFinding[]): Report => ({ ok: checks.every(({ status }) => status !== 'problem'), checks })

/** The report for a person: a line per finding, the fix below it, and a sum at the end. */
export function printReport({ checks }: Report): string {
  const width = Math.max(...checks.map(({ name }) => name.length))
  const lines = checks.flatMap(({ status, name, message, fix }) => [
    `  ${status.padEnd(8)} ${name.padEnd(width)}  ${message}`,
    ...(fix === undefined ? [] : [`${' '.repeat(width + 11)}  → ${fix}`]),
  ])
  return `${lines.join('\n')}\n\n${sum(checks)}\n`
}

function sum(checks: readonly NamedFinding[]): string {
  const count = (wanted: Status) => checks.filter(({ status }) => status === wanted).length
  const parts = [plural(count('problem'), 'problem'), plural(count('warning'), 'warning')].filter(part => part !== '')
  return parts.length === 0 ? 'All is well.' : `${parts.join(' and ')}.`
}

const plural = (count: number, word: string) => (count === 0 ? '' : `${count} ${word}${count === 1 ? '' : 's'}`)
