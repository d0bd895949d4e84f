import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Figure } from './figure.ts'
import type { Machine } from './machine.ts'

/** Figures by part and name. */
export type PartFigures = Readonly<Record<string, Readonly<Record<string, number>>>>

/** The figures of one run of all parts. */
export interface Results {
  readonly date: string
  readonly machine: Machine
  readonly versions: Readonly<Record<string, string>>
  /** Load average of the minute before the first part. */
  readonly load_before: number
  readonly parts: PartFigures
  /** How far apart two runs may lie, for the figures that know; results of earlier releases have none. */
  readonly noise?: PartFigures
}

const committed = join(import.meta.dir, '..', 'results.json')

/** The results saved last; undefined when there are none. */
export function savedResults(file = committed): Results | undefined {
  if (!existsSync(file)) return
  const results = parse(readFileSync(file, 'utf8'))
  if (typeof results === 'object' && results !== null && 'parts' in results) return results as Results
  throw new Error(`${file} holds no results; delete it, or take back what changed it`)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return
  }
}

/** Keeps these results for later comparisons. */
export function saveResults(results: Results, file = committed): void {
  const rounded = JSON.stringify(results, (_, value) => (typeof value === 'number' ? Math.round(value * 1000) / 1000 : value), 2)
  writeFileSync(file, `${rounded}\n`)
}

/** One column of the figures of all parts, for the file. A way that gave no answer has no figures to keep. */
export function columnOf(parts: readonly (readonly [string, Readonly<Record<string, Figure>>])[], column: 'value' | 'noise'): PartFigures {
  const pick = (figures: Readonly<Record<string, Figure>>) =>
    Object.entries(figures).flatMap(([name, figure]) => (Number.isFinite(figure.value) ? [[name, figure[column]] as const] : []))
  return Object.fromEntries(parts.map(([part, figures]) => [part, Object.fromEntries(pick(figures))]))
}
