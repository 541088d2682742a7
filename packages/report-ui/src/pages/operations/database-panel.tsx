import { Bars } from '../../charts/bars.tsx'
import { byteSize } from '../../format/bytes.ts'
import { counted } from '../../format/numbers.ts'
import { duration, instant, msOf } from '../../format/times.ts'
import { Empty } from '../../parts/empty.tsx'
import { Panel } from '../../parts/panel.tsx'
import { type Operations, useOperations } from './operations-data.ts'

type Database = NonNullable<Operations['database']>

/** More bars are no picture; the rest is in the table. */
const barCount = 8

/** How large the database is, what fills it, and how fast it grows. */
export function DatabasePanel() {
  const operations = useOperations()
  // The drawing of the pipeline says why there are no data.
  if (operations.data.value === undefined) return null
  const { database } = operations.data.value
  const title = database === null ? 'Size of the database' : `The database has ${byteSize(database.bytes)}`
  return (
    <Panel title={title} resource={operations}>
      {({ at }) =>
        database === null ? (
          <Empty>This node keeps its data in memory.</Empty>
        ) : (
          <>
            <p>{growthText(database.growth, msOf(at))}</p>
            <Bars
              label="Size by table"
              bars={database.tables.slice(0, barCount).map(({ table, bytes, rows }) => ({
                key: table,
                label: table,
                value: bytes,
                text: rows === null ? byteSize(bytes) : `${byteSize(bytes)}; ${counted(rows, 'row')}`,
              }))}
            />
            <RestTables of={database.tables.slice(barCount)} />
          </>
        )
      }
    </Panel>
  )
}

function RestTables({ of }: { readonly of: Database['tables'] }) {
  if (of.length === 0) return null
  const bytes = of.reduce((sum, table) => sum + table.bytes, 0)
  return (
    <details>
      <summary>
        {counted(of.length, 'smaller table')} with {byteSize(bytes)}
      </summary>
      <table class="plain-table">
        <tbody>
          {of.map(({ table, bytes: size, rows }) => (
            <tr key={table}>
              <th scope="row">{table}</th>
              <td class="number">{byteSize(size)}</td>
              <td class="number">{rows === null ? '' : counted(rows, 'row')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  )
}

/** A rate is told once there is enough to tell it from. */
const rateAfterMs = 600_000

function growthText(growth: Database['growth'], nowMs: number): string {
  if (growth === null) return 'Its growth is known from the second look on, a few seconds from now.'
  const sinceMs = msOf(growth.since)
  const forMs = nowMs - sinceMs
  const change = growth.bytes < 0 ? `${byteSize(-growth.bytes)} less` : `${byteSize(growth.bytes)} more`
  const since = `${change} than ${duration(forMs)} ago, at ${instant(sinceMs)}`
  if (forMs < rateAfterMs) return `${since}.`
  return `${since}: at this rate ${byteSize(Math.round((growth.bytes / forMs) * 86_400_000))} a day.`
}
