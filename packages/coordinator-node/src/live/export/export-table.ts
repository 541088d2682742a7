import type { Json } from '../../domain/json/json.ts'
import type { Instant } from '../../domain/time.ts'
import type { Store } from '../../ports/store.ts'
import type { ReportContract } from '../../report/report-context.ts'

/** Value of a cell; `null` means no value. Times are instants. */
export type Cell = Json

/** Type of a column in Parquet; other formats write text. */
export type CellType = 'text' | 'number' | 'integer' | 'time' | 'json'

export interface Column<Row> {
  readonly name: string
  readonly type: CellType
  readonly of: (row: Row) => Cell
}

/** Rows of the node's database with fixed columns. */
export interface ExportTable {
  readonly columns: readonly { readonly name: string; readonly type: CellType }[]
  /** Pages of rows, with cells in column order. Only one page is in memory. */
  pages(): AsyncGenerator<readonly (readonly Cell[])[]>
}

/** A time range of the competition: `from <= time < to`. */
export interface ExportRange {
  readonly from: Instant
  readonly to: Instant
}

export interface ExportContext {
  readonly store: Store
  readonly contract: ReportContract
  readonly range: ExportRange
}

/** A table whose rows are read page by page. */
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
