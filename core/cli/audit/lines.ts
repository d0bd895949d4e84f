import { isMapping } from '../../config/tree.ts'
import { nothing, type Row, time, words } from '../table/texts.ts'
import type { Column } from '../table.ts'

/** Who changed what, as a table. */
export const auditColumns: readonly Column<Row>[] = [
  { name: 'WHEN', text: ({ at }) => time(at) },
  { name: 'WHO', least: 8, text: ({ who }) => words(who) },
  { name: 'WHAT', text: ({ what }) => words(what) },
  { name: 'OF', least: 10, text: subjectOf },
  { name: 'CHANGE', least: 12, spare: 1, text: changeOf },
]

function subjectOf({ subject_id: id, subject_name: name }: Row): string {
  const both = [id, name].filter(part => part !== null && part !== undefined)
  return both.length === 0 ? nothing : both.map(words).join(' ')
}

/** What is different; of what was made or deleted, what it was like. */
function changeOf({ before, after }: Row): string {
  const was = isMapping(before) ? before : {}
  const is = isMapping(after) ? after : {}
  const fields = [...new Set([...Object.keys(was), ...Object.keys(is)])]
  const both = isMapping(before) && isMapping(after)
  return (
    fields
      .map(field => (both ? `${field}: ${value(was[field])} → ${value(is[field])}` : `${field}: ${value({ ...was, ...is }[field])}`))
      .join(', ') || nothing
  )
}

const value = (of: unknown): string => (of === undefined ? nothing : JSON.stringify(of))
