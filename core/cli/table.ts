import { clean } from '../log/clean.ts'
import { cutText } from './table/cut-text.ts'
import { fit } from './table/fit.ts'

/** One column of a table. */
export interface Column<Row> {
  readonly name: string
  readonly text: (row: Row) => string
  /** Numbers end below each other. */
  readonly right?: boolean
  /** Where the terminal is narrow, longer texts may be cut, to so many characters at the worst. Left out, never. */
  readonly least?: number
  /** Where even that is not enough the column is left out, the highest number first. Left out, never. */
  readonly spare?: number
}

/** Between two columns. */
const gap = '  '

/**
 * Rows as aligned lines below a line of names, no line wider than the terminal. Texts are made harmless: they come from
 * strangers, and a terminal acts on some characters.
 */
export function tableLines<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width = terminalWidth()): string[] {
  const measured = columns.map(column => {
    const cells = [column.name, ...rows.map(row => clean(column.text(row)))]
    return { ...column, cells, widest: cells.reduce((most, cell) => Math.max(most, Bun.stringWidth(cell)), 0) }
  })
  const fitting = fit(measured, width, gap.length)
  return Array.from({ length: rows.length + 1 }, (_, at) => {
    const cells = fitting.map(({ cells, right = false, width }) => padded(cutText(cells[at] ?? '', width), width, right))
    return cutText(cells.join(gap).trimEnd(), width)
  })
}

/** Names and what they stand for, a line each, whole. */
export function fieldLines(fields: readonly (readonly [name: string, text: string])[]): string[] {
  const width = Math.max(...fields.map(([name]) => name.length))
  return fields.map(([name, text]) => `${name.padEnd(width)}${gap}${clean(text)}`)
}

/** How many characters fit next to each other; whoever reads from a file or a pipe has room for all. */
export const terminalWidth = (): number => (process.stdout.isTTY ? process.stdout.columns || usualWidth : Number.POSITIVE_INFINITY)

/** Of terminals that do not tell. */
const usualWidth = 80

function padded(text: string, width: number, right: boolean): string {
  const room = ' '.repeat(Math.max(0, width - Bun.stringWidth(text)))
  return right ? room + text : text + room
}
