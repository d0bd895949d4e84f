import type { Change, Comparison } from './compare.ts'
import type { Machine } from './machine.ts'
import type { Length, Outcome } from './part.ts'
import type { Results } from './results.ts'
import { brief, markdownTable, show, textTable } from './table.ts'

/** A part's outcome for a terminal. */
export function printOutcome(name: string, seconds: number, { tables, notes = [], targets }: Outcome): string {
  const lines = notes.map(note => `  ${note}`)
  const judged = targets.map(({ what, met }) => `  ${met ? 'met   ' : 'MISSED'} ${what}`)
  return [`\n# ${name} (${show(seconds)} s)`, ...tables.map(textTable), [...lines, ...judged].join('\n')].filter(Boolean).join('\n\n')
}

/** What became of a part since the saved results. */
export function printComparison(comparison: Comparison | undefined): string {
  if (!comparison) return '  not in the saved results: nothing to compare with'
  const { changes, unknown, missing } = comparison
  const same = changes.filter(({ verdict }) => verdict === 'same').length
  const counts = [
    `${same} of ${changes.length} within the noise`,
    ...(unknown.length > 0 ? [`${unknown.length} new`] : []),
    ...(missing.length > 0 ? [`${missing.length} not measured now: ${missing.join(', ')}`] : []),
  ]
  const order = ['worse', 'better', 'moved'] as const
  const shown = order.flatMap(verdict => changes.filter(change => change.verdict === verdict))
  const width = Math.max(0, ...shown.map(({ name }) => name.length))
  const machineMoved = shown.some(({ name, verdict }) => verdict === 'moved' && /(^|_)direct_/.test(name))
  if (machineMoved) counts.push('the direct way moved too, so it was the machine: trust ratios and what is added, not amounts')
  return [...shown.map(change => printChange(change, width)), `  against the saved results: ${counts.join('; ')}`].join('\n')
}

const words = { worse: 'WORSE ', better: 'better', moved: 'moved ', same: 'same  ' }

function printChange({ name, then, now, noise, verdict }: Change, width: number): string {
  const percent = then === 0 ? '' : `${now < then ? '−' : '+'}${show(Math.abs((now - then) / then) * 100)} %, `
  return `  ${words[verdict]} ${name.padEnd(width)}  ${brief(then)} → ${brief(now)}  (${percent}noise ±${brief(noise)})`
}

/** Which results the comparisons are with, and why they may mean little; or why there are none. */
export function printSaved(saved: Results | undefined, machine: Machine, length: Length): string {
  if (length !== 'usual') return `not compared with saved results: those are of the usual length, this run is --${length}`
  if (!saved) return 'no saved results to compare with: `npm run bench -- --save` keeps those of a whole run'
  const versions = Object.entries(saved.versions).map(([name, version]) => `${name} ${version}`)
  const other = saved.machine.cpu !== machine.cpu || saved.machine.cores !== machine.cores
  return [
    `compared with the saved results of ${saved.date.slice(0, 10)} (${versions.join(', ')})`,
    ...(other ? [`  those are from another machine (${saved.machine.cpu}, ${saved.machine.cores} cores): only ratios say something`] : []),
  ].join('\n')
}

/** All tables as they stand in README.md. */
export function printMarkdown(outcomes: readonly (readonly [string, Outcome])[]): string {
  return outcomes.flatMap(([name, { tables, notes = [] }]) => [`<!-- ${name} -->`, ...tables.map(markdownTable), ...notes]).join('\n\n')
}
