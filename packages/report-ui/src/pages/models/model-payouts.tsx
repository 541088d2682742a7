import { Link } from 'wouter-preact'
import { node } from '../../data/node.ts'
import { useResource } from '../../data/resource.ts'
import { columnNumbers, percent, wholeNumber } from '../../format/numbers.ts'
import { periodText } from '../../format/period.ts'
import { exactShare } from '../../format/rewards.ts'
import { checkpointWords, unpaidReasons, wordOf } from '../../format/words.ts'
import { Panel } from '../../parts/panel.tsx'

const payoutCount = 50

/** What the checkpoints paid a model, and why some did not. */
export function ModelPayouts({ id }: { readonly id: string }) {
  const payouts = useResource(
    `payouts ${id}`,
    (signal) =>
      node.get('/reports/models/{model_id}/payouts', {
        params: { model_id: id },
        query: { limit: payoutCount },
        signal,
      }),
    { topics: ['checkpoints'] },
  )
  return (
    <Panel title="What it was paid" resource={payouts}>
      {(rows) => {
        if (rows.length === 0) return <p class="quiet">No checkpoint has closed with a result of this model.</p>
        const value = columnNumbers(rows.map((row) => row.value))
        return (
          <>
            <div class="chart-table">
              <table class="plain-table">
                <thead>
                  <tr>
                    <th scope="col">Period</th>
                    <th scope="col" class="number">
                      Rank
                    </th>
                    <th scope="col" class="number">
                      Value
                    </th>
                    <th scope="col" class="number">
                      Answered
                    </th>
                    <th scope="col" class="number">
                      Share
                    </th>
                    <th scope="col">State</th>
                  </tr>
                </thead>
                <tbody>
                  {rows.map((row) => (
                    <tr key={row.checkpoint_id}>
                      <td>
                        <Link href={`/checkpoints/${encodeURIComponent(row.checkpoint_id)}`}>
                          {periodText(row.period_start, row.period_end)}
                        </Link>
                      </td>
                      <td class="number">{wholeNumber(row.rank)}</td>
                      <td class="number">{value(row.value)}</td>
                      <td class="number">{percent(row.coverage)}</td>
                      <td class="number">{exactShare(row.reward_pct)}</td>
                      <td>
                        {row.unpaid_reason === null
                          ? wordOf(checkpointWords, row.status)
                          : `not paid: ${wordOf(unpaidReasons, row.unpaid_reason)}`}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
            {rows.length < payoutCount ? null : (
              <p class="small quiet">The newest {payoutCount} payouts; the API has all.</p>
            )}
          </>
        )
      }}
    </Panel>
  )
}
