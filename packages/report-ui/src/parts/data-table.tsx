import type { ComponentChildren } from 'preact'
import { memo } from 'preact/compat'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { useChangedKeys } from './use-changed-keys.ts'
import { useMovingRows } from './use-moving-rows.ts'

export interface Column<Row> {
  readonly key: string
  readonly title: string
  /** A second line of the title. */
  readonly note?: string
  /** What the column means. */
  readonly hint?: string
  /** A track of a CSS grid. */
  readonly width: string
  readonly isNumber?: boolean
  /** Stays in view when the table scrolls sideways. */
  readonly isHeld?: boolean
  /** The column by which rows are ranked. */
  readonly isLeading?: boolean
  readonly cell: (row: Row) => ComponentChildren
  /** What a sort by this column compares; null comes last in both directions. Absent: the column cannot be sorted by. */
  readonly order?: (row: Row) => number | string | null
}

export interface Sort {
  readonly key: string
  readonly isDescending: boolean
}

interface DataTableProps<Row> {
  readonly label: string
  /** Best the same array as long as its cells show the same: rows are then drawn once. */
  readonly columns: readonly Column<Row>[]
  /** In the order shown. */
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
  readonly sort?: Sort | null
  readonly onSort?: (sort: Sort) => void
  readonly isMarked?: (row: Row) => boolean
  /** What counts as a change of the row, which is marked for two seconds. */
  readonly versionOf?: (row: Row) => string
}

/** Rows outside of the window that are drawn as well. */
const spareRows = 8

/**
 * A table of any number of rows, of which only those in view are in the document. It has the roles of a table and not its elements,
 * since rows are placed by themselves. A row keeps its element when its place changes, so
 * that it is seen to move.
 */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { label, columns, rows, keyOf, isMarked } = props
  const body = useRef<HTMLDivElement>(null)
  const { from, to, rowHeight } = useVisibleRange(body, rows.length)
  const changed = useChangedKeys(rows, keyOf, props.versionOf)
  useMovingRows(body, rowHeight)
  const tracks = columns.map(({ width }) => width).join(' ')
  const shown = rows.slice(from, to).map((row, offset) => ({ row, key: keyOf(row), index: from + offset }))
  return (
    <div
      class="table-scroll"
      role="table"
      aria-label={label}
      aria-rowcount={rows.length + 1}
      style={{ '--columns': tracks }}
    >
      <div class="table">
        <Head {...props} />
        <div class="table-body" role="rowgroup" ref={body} style={{ height: `${rows.length * rowHeight}px` }}>
          {shown.map(({ row, key, index }) => (
            <div
              class={`table-row${isMarked?.(row) ? ' marked' : ''}${changed.has(key) ? ' changed' : ''}`}
              role="row"
              tabIndex={-1}
              key={key}
              data-key={key}
              aria-rowindex={index + 2}
              style={{ transform: `translateY(${index * rowHeight}px)` }}
            >
              <Cells row={row} columns={columns as readonly Column<unknown>[]} />
            </div>
          ))}
        </div>
      </div>
    </div>
  )
}

/** Drawn again only for another row or other columns: not while the table scrolls, and not when the row moves. */
const Cells = memo(({ row, columns }: { readonly row: unknown; readonly columns: readonly Column<unknown>[] }) => (
  <>
    {columns.map((column) => (
      <div class={cellClass(column)} role="cell" key={column.key}>
        {column.cell(row)}
      </div>
    ))}
  </>
))

function Head<Row>({ columns, sort, onSort }: DataTableProps<Row>) {
  return (
    <div class="table-head" role="rowgroup">
      <div class="table-row" role="row" tabIndex={-1}>
        {columns.map((column) => {
          const isSorted = sort?.key === column.key
          const direction = !isSorted ? undefined : sort.isDescending ? 'descending' : 'ascending'
          return (
            <div
              class={cellClass(column)}
              role="columnheader"
              key={column.key}
              aria-sort={direction}
              title={column.hint}
            >
              {column.order === undefined || onSort === undefined ? (
                <Title column={column} arrow="" />
              ) : (
                <button
                  type="button"
                  onClick={() => onSort({ key: column.key, isDescending: isSorted ? !sort.isDescending : true })}
                >
                  <Title column={column} arrow={isSorted ? (sort.isDescending ? ' ↓' : ' ↑') : ''} />
                </button>
              )}
            </div>
          )
        })}
      </div>
    </div>
  )
}

function Title({ column: { title, note }, arrow }: { readonly column: Column<never>; readonly arrow: string }) {
  return (
    <span>
      {title}
      {arrow}
      {note === undefined ? null : <span class="column-note">{note}</span>}
    </span>
  )
}

function cellClass({ isNumber, isHeld, isLeading, key }: Column<never>): string {
  const held = isHeld === true ? ' held' : ''
  const changes = key === 'rank' || isLeading === true ? ' changed-cell' : ''
  return `table-cell${isNumber === true ? ' number' : ''}${held}${isLeading === true ? ' leading' : ''}${changes}`
}

/** The rows of the body that are in the window, by index; `to` is not included. */
function useVisibleRange(body: { readonly current: HTMLElement | null }, count: number) {
  const [range, setRange] = useState({ from: 0, to: 40, rowHeight: 36 })
  useLayoutEffect(() => {
    function measure(): void {
      if (body.current === null) return
      const rowHeight = Number.parseFloat(getComputedStyle(body.current).getPropertyValue('--row')) || 36
      // Inside of a zoomed page the rectangle is in zoomed pixels.
      const zoom = body.current.currentCSSZoom ?? 1
      const { top } = body.current.getBoundingClientRect()
      const first = Math.floor(-top / zoom / rowHeight) - spareRows
      const visible = Math.ceil(window.innerHeight / zoom / rowHeight) + 2 * spareRows
      const from = Math.max(0, Math.min(first, count - visible))
      const next = { from, to: Math.min(count, from + visible), rowHeight }
      setRange((old) => (old.from === next.from && old.to === next.to && old.rowHeight === rowHeight ? old : next))
    }
    measure()
    window.addEventListener('scroll', measure, { passive: true })
    window.addEventListener('resize', measure)
    return () => {
      window.removeEventListener('scroll', measure)
      window.removeEventListener('resize', measure)
    }
  }, [count])
  return range
}

/** Rows in the order of a column; equal ones keep theirs, and rows without a value come last. */
export function sortRows<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  sort: Sort | null,
): readonly Row[] {
  const order = columns.find(({ key }) => key === sort?.key)?.order
  if (sort === null || order === undefined) return rows
  const sign = sort.isDescending ? -1 : 1
  return [...rows].sort((one, other) => {
    const [a, b] = [order(one), order(other)]
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1
    if (typeof a === 'string' || typeof b === 'string') return sign * String(a).localeCompare(String(b))
    return sign * (a - b)
  })
}
