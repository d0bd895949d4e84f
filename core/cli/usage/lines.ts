import { count, nothing, type Row, words } from '../table/texts.ts'
import type { Column } from '../table.ts'

/** What was used, as a table: what the rows are told apart by, and the figures. */
export function usageColumns(rows: readonly Row[]): readonly Column<Row>[] {
  const has = ({ field }: Dimension) => rows.some(row => row[field] !== undefined)
  return [...dimensions.filter(has).map(({ column }) => column), ...figures]
}

/** The rows, and their sum below them when there are several. */
export function withSum(rows: readonly Row[]): readonly Row[] {
  if (rows.length < 2) return rows
  const sumOf = (field: string) => rows.reduce((sum, row) => sum + (typeof row[field] === 'number' ? row[field] : 0), 0)
  return [...rows, { [isSum]: true, ...Object.fromEntries(summed.map(field => [field, sumOf(field)])) }]
}

const isSum = 'is_sum'
const summed = ['requests', 'cached', 'errors', 'prompt_tokens', 'completion_tokens']

interface Dimension {
  readonly field: string
  readonly column: Column<Row>
}

const dimension = (name: string, field: string, text: (row: Row) => string): Dimension => ({
  field,
  column: { name, least: 10, text: row => (row[isSum] === true ? 'all' : text(row)) },
})

const dimensions: readonly Dimension[] = [
  dimension('DAY', 'day', ({ day }) => words(day)),
  dimension('KEY', 'key_id', keyOf),
  dimension('MODEL', 'model', ({ model }) => words(model)),
  dimension('BACKEND', 'backend', ({ backend }) => words(backend)),
  dimension('TARGET', 'target', ({ target }) => words(target)),
  dimension('USER', 'user', ({ user }) => words(user)),
]

/** Callers without a managed key count under 0; deleted keys have no name. */
function keyOf({ key_id: id, key_name: name }: Row): string {
  if (id === 0 || id === null) return '(no managed key)'
  return typeof name === 'string' ? `${words(id)} ${name}` : words(id)
}

const figure = (name: string, field: string, spare: number, unit = ''): Column<Row> => ({
  name,
  right: true,
  ...(spare > 0 && { spare }),
  text: row => (typeof row[field] === 'number' ? count(Math.round(row[field])) + unit : nothing),
})

const figures: readonly Column<Row>[] = [
  figure('REQUESTS', 'requests', 0),
  figure('CACHED', 'cached', 3),
  figure('ERRORS', 'errors', 2),
  figure('PROMPT', 'prompt_tokens', 0),
  figure('COMPLETION', 'completion_tokens', 0),
  figure('LATENCY', 'latency_ms_avg', 4, ' ms'),
  figure('FIRST TOKEN', 'first_token_ms_avg', 5, ' ms'),
]
