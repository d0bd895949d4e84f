/** A table for people: the first column to the left, numbers to the right. */
export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map((name, i) => Math.max(...[name, ...rows.map(row => row[i] ?? '')].map(cell => Bun.stringWidth(cell))))
  const pad = (cell: string, i: number) => {
    const space = ' '.repeat((widths[i] as number) - Bun.stringWidth(cell))
    return i === 0 ? cell + space : space + cell
  }
  const line = (cells: readonly string[]) => `  ${columns.map((_, i) => pad(cells[i] ?? '', i)).join('   ')}`.trimEnd()
  return [line(columns), line(widths.map(width => '─'.repeat(width))), ...rows.map(line)].join('\n')
}

/** A number with so many digits after the point; thousands apart. */
export const show = (value: number, digits = 0): string =>
  value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits }).replaceAll(',', ' ')
