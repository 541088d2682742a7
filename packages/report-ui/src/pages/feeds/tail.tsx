import { gridMs } from '../../charts/record-chart.ts'
import type { StoredRecord } from '../../data/records.ts'
import { exactNumbers, wholeNumber } from '../../format/numbers.ts'
import { fieldNames, numericFields } from '../../format/numeric-fields.ts'
import { msOf } from '../../format/times.ts'
import { shortValue } from '../../format/values.ts'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { Instant } from '../../parts/time.tsx'

const shownCount = 20
/** Records with more numbers are written as one text. */
const mostColumns = 8

/** Newest first. */
export function Tail({ records }: { readonly records: readonly StoredRecord[] }) {
  if (records.length === 0) return <p class="quiet">There is none yet.</p>
  const rows = records.slice(0, shownCount)
  return (
    <DataTable label="The newest records" columns={tailColumns(rows)} rows={rows} keyOf={({ ts_event }) => ts_event} />
  )
}

function tailColumns(rows: readonly StoredRecord[]): readonly Column<StoredRecord>[] {
  return [
    { key: 'time', title: 'Time', width: '168px', isHeld: true, cell: ({ ts_event }) => <Instant at={ts_event} /> },
    ...valueColumns(rows),
    arrivalColumn(rows),
  ]
}

/** How late records came, where their end is known; otherwise when they came. */
function arrivalColumn(rows: readonly StoredRecord[]): Column<StoredRecord> {
  const [first] = rows
  const times = rows.map(({ ts_event }) => msOf(ts_event))
  const grid = first === undefined ? null : gridMs(first.kind, first.granularity, times)
  if (grid === null) {
    return { key: 'received', title: 'Received', width: '168px', cell: (row) => <Instant at={row.ts_ingested} /> }
  }
  return {
    key: 'late',
    title: 'Late, ms',
    hint: 'From the end of the record to its arrival at this node',
    width: '92px',
    isNumber: true,
    cell: ({ ts_event, ts_ingested }) => wholeNumber(msOf(ts_ingested) - msOf(ts_event) - grid),
  }
}

function valueColumns(rows: readonly StoredRecord[]): readonly Column<StoredRecord>[] {
  const fields = new Map(rows.map((row) => [row, numericFields(row.values)]))
  const names = fieldNames([...fields.values()])
  if (names.length === 0 || names.length > mostColumns) {
    const cell = ({ values }: StoredRecord) => (
      <span class="cut" title={JSON.stringify(values)}>
        {shortValue(values)}
      </span>
    )
    return [{ key: 'values', title: 'Values', width: 'minmax(240px, 1fr)', cell }]
  }
  return names.map((name) => {
    const format = exactNumbers(rows.map((row) => fields.get(row)?.get(name)))
    return {
      key: `value ${name}`,
      title: name === '' ? 'Value' : name,
      width: 'minmax(96px, 1fr)',
      isNumber: true,
      cell: (row) => format(fields.get(row)?.get(name)),
    }
  })
}
