import { print, printError } from '../output.ts'
import { type Column, tableLines } from '../table.ts'
import { json, type Row, text } from './texts.ts'

/** How a list is printed. */
export interface RowsOptions {
  readonly json: boolean | undefined
  readonly columns: readonly Column<Row>[]
  /** What people are told when there is none; stdout stays empty then. */
  readonly empty: string
}

/** Prints a list: a table for people, all of it for programs. */
export function printRows(rows: Row & { readonly data: readonly Row[] }, { json: asJson, columns, empty }: RowsOptions): Promise<void> {
  if (asJson) return print(json(rows))
  if (rows.data.length === 0) return printError(`${empty}\n`)
  return print(text(tableLines(columns, rows.data)))
}
