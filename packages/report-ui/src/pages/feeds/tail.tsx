import type { AnswerOf } from '@crunch/coordinator-node/client'
import { gridMs } from '../../charts/record-chart.ts'
import { wholeNumber } from '../../format/numbers.ts'
import { msOf } from '../../format/times.ts'
import { shortValue } from '../../format/values.ts'
import { Instant } from '../../parts/time.tsx'

export type TailRecord = AnswerOf<'get', '/reports/feeds/tail'>[number]

const shownCount = 20

/** Newest first, with how long after its end each arrived. */
export function Tail({ records }: { readonly records: readonly TailRecord[] }) {
  if (records.length === 0) return <p class="quiet">There is none yet.</p>
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label="The newest records">
      <table class="plain-table">
        <thead>
          <tr>
            <th scope="col">Time of the record</th>
            <th scope="col">Values</th>
            <th scope="col" class="number">
              Late, ms
            </th>
          </tr>
        </thead>
        <tbody>
          {records.slice(0, shownCount).map(({ ts_event, ts_ingested, values, kind, granularity }) => (
            <tr key={ts_event}>
              <td class="nowrap">
                <Instant at={ts_event} />
              </td>
              <td title={JSON.stringify(values)}>{shortValue(values)}</td>
              <td class="number">
                {wholeNumber(msOf(ts_ingested) - msOf(ts_event) - (gridMs(kind, granularity) ?? 0))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
