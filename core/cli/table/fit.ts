/** How wide a column would like to be, and what it can bear. */
interface Wish {
  readonly widest: number
  readonly least?: number
  readonly spare?: number
}

/**
 * The columns that have room in so many characters, and how wide each becomes: first the widest ones that may be cut lose
 * some, then whole columns are left out. When nothing more can go the rest is as wide as it is.
 */
export function fit<Column extends Wish>(
  columns: readonly Column[],
  width: number,
  gap: number,
): readonly (Column & { readonly width: number })[] {
  const widths = columns.map(({ widest }) => widest)
  let excess = widths.reduce((sum, each) => sum + each + gap, -gap) - width
  for (; excess > 0; excess--) {
    const at = widestOf(widths, columns)
    if (at === undefined) break
    widths[at] = (widths[at] as number) - 1
  }
  const last = excess > 0 ? mostSpare(columns) : undefined
  if (last !== undefined) return fit(columns.toSpliced(last, 1), width, gap)
  return columns.map((column, index) => ({ ...column, width: widths[index] as number }))
}

/** The widest column that may still be cut. */
function widestOf(widths: readonly number[], columns: readonly Wish[]): number | undefined {
  let found: number | undefined
  for (const [index, width] of widths.entries()) {
    if (width <= (columns[index]?.least ?? Number.POSITIVE_INFINITY)) continue
    if (found === undefined || width > (widths[found] as number)) found = index
  }
  return found
}

function mostSpare(columns: readonly Wish[]): number | undefined {
  const most = Math.max(...columns.map(({ spare }) => spare ?? 0))
  return most > 0 ? columns.findIndex(({ spare }) => spare === most) : undefined
}
