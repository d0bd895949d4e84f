import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Machine } from './machine.ts'
import type { Outcome } from './part.ts'
import { show } from './table.ts'

const file = join(import.meta.dir, '..', 'results.json')

/** The figures of one run of all parts. */
export interface Results {
  readonly date: string
  readonly machine: Machine
  readonly versions: Readonly<Record<string, string>>
  /** Load average of the minute before the first part. */
  readonly load_before: number
  readonly parts: Readonly<Record<string, Outcome['figures']>>
}

/** The results saved last. */
export const savedResults = (): Results | undefined => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined)

/** Keeps these results for later comparisons. */
export function saveResults(results: Results): void {
  const rounded = JSON.stringify(results, (_, value) => (typeof value === 'number' ? Math.round(value * 1000) / 1000 : value), 2)
  writeFileSync(file, `${rounded}\n`)
}

/** One line: the part's figures now and then. */
export function compare(part: string, figures: Outcome['figures'], saved: Results | undefined): string {
  const old = saved?.parts[part]
  if (!saved || !old) return '  no saved results to compare with'
  const changes = Object.entries(figures)
    .filter(([name]) => old[name] !== undefined)
    .map(([name, now]) => `${name} ${brief(old[name] as number)} → ${brief(now)}`)
  return `  against ${saved.date.slice(0, 10)}: ${changes.join(', ')}`
}

const brief = (value: number): string => show(value, Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 1 ? 1 : 3)
