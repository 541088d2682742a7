import type { Json } from '../../domain/json/json.ts'
import type { Instant } from '../../domain/time.ts'
import type { Store } from '../../ports/store.ts'
import type { ReportContract } from '../../report/report-context.ts'

/** What a cell is: `null` is no value. Times are instants. */
export type Cell = Json

/** How a column is written: in Parquet as its type, elsewhere as text. */
export type CellType = 'text' | 'number' | 'integer' | 'time' | 'json'

export interface Column<Row> {
  readonly name: string
  readonly type: CellType
  readonly of: (row: Row) => Cell
}

/** Rows of the node's database under fixed columns. */
export interface ExportTable {
  readonly columns: readonly { readonly name: string; readonly type: CellType }[]
  /** Rows in the order of the columns, a page at a time: not more than a page is in memory. */
  pages(): AsyncGenerator<readonly (readonly Cell[])[]>
}

/** A part of the competition's time: `from <= time < to`. */
export interface ExportRange {
  readonly from: Instant
  readonly to: Instant
}

export interface ExportContext {
  readonly store: Store
  readonly contract: ReportContract
  readonly range: ExportRange
}

/** A table of rows that are read a page at a time. */
export function tableOf<Row>(
  columns: readonly Column<Row>[],
  pages: () => AsyncGenerator<readonly Row[]>,
): ExportTable {
  return {
    columns,
    async *pages() {
      for await (const rows of pages()) yield rows.map((row) => columns.map((column) => column.of(row)))
    },
  }
}
