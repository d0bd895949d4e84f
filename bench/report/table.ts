/** What a part shows: the first column names the row, the others hold figures. */
export interface Table {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** For a terminal: the first column to the left, numbers to the right. */
export function textTable({ columns, rows }: Table): string {
  const widths = columns.map((name, i) => Math.max(...[name, ...rows.map(row => row[i] ?? '')].map(cell => Bun.stringWidth(cell))))
  const line = (cells: readonly string[]) => `  ${padded(columns, cells, widths).join('   ')}`.trimEnd()
  return [line(columns), line(widths.map(width => '─'.repeat(width))), ...rows.map(line)].join('\n')
}

/** For README.md: the same as Markdown. */
export function markdownTable({ columns, rows }: Table): string {
  const widths = columns.map((name, i) => Math.max(3, ...[name, ...rows.map(row => row[i] ?? '')].map(cell => Bun.stringWidth(cell))))
  const line = (cells: readonly string[]) => `| ${padded(columns, cells, widths).join(' | ')} |`
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  return [line(columns), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n')
}

/** A number with so many digits after the point; thousands apart. A dash for what cannot be said. */
export const show = (value: number, digits = 0): string =>
  Number.isFinite(value)
    ? value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits }).replaceAll(',', ' ')
    : '–'

/** A number with as many digits as say something. */
export const brief = (value: number): string => show(value, Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 1 ? 1 : 3)

const padded = (columns: readonly string[], cells: readonly string[], widths: readonly number[]) =>
  columns.map((_, i) => {
    const cell = cells[i] ?? ''
    const space = ' '.repeat((widths[i] as number) - Bun.stringWidth(cell))
    return i === 0 ? cell + space : space + cell
  })
