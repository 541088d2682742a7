import { Bars } from '../../charts/bars.tsx'
import { useUrlState } from '../../data/url-state.ts'
import { counted, wholeNumber } from '../../format/numbers.ts'
import { exactShare, shareDecimals, sumOf } from '../../format/rewards.ts'
import { DataTable, type Sort, sortRows } from '../../parts/data-table.tsx'
import { usePins } from '../leaderboard/pins.ts'
import { paidOf } from './checkpoint-data.ts'
import { ModelLink, type PayoutColumns, payoutColumns } from './payout-columns.tsx'

/** More bars are no picture; the table has them all. */
const barCount = 20

/** Who gets what: as bars, and as a table of all models with the reason of those that get nothing. */
export function PayoutTable({ ranking, unmapped, indexes }: Omit<PayoutColumns, 'decimals'>) {
  const paid = paidOf(ranking)
  const decimals = shareDecimals(ranking.map(({ reward_pct }) => reward_pct))
  const shown = paid.slice(0, barCount)
  const rest = sumOf(paid.slice(barCount))
  return (
    <>
      {paid.length === 0 ? null : (
        <section class="panel" aria-label="Shares of the payout">
          <h2>Share of the payout, best rank first</h2>
          <Bars
            label="Share of the payout by model"
            bars={shown.map((row) => ({
              key: row.model_id,
              label: <ModelLink of={row} />,
              value: row.reward_pct,
              text: exactShare(row.reward_pct, decimals),
            }))}
          />
          <p class="small quiet">
            {rest === 0
              ? ''
              : `${counted(paid.length - barCount, 'more model')} together get ${exactShare(rest, decimals)}. `}
            n = {wholeNumber(paid.length)}; the sum is {exactShare(sumOf(paid))}. The numbers are in the table below.
          </p>
        </section>
      )}
      <AllModels ranking={ranking} decimals={decimals} unmapped={unmapped} indexes={indexes} />
    </>
  )
}

function AllModels(props: PayoutColumns) {
  const { ranking } = props
  const [state, change] = useUrlState()
  const [pins] = usePins()
  const search = (state.q ?? '').toLowerCase()
  const sort: Sort | null = state.sort === undefined ? null : { key: state.sort, isDescending: state.order !== 'asc' }
  const columns = payoutColumns(props)
  const found = ranking.filter(({ model_name, model_id, cruncher_name }) =>
    `${model_name} ${model_id} ${cruncher_name}`.toLowerCase().includes(search),
  )
  return (
    <section class="panel" aria-label="All models of the period">
      <div class="panel-head">
        <h2>Each model of the period, and why it is or is not paid</h2>
        <div class="row">
          <label>
            <span class="hidden">Search models and crunchers</span>
            <input
              type="search"
              placeholder="Model or cruncher"
              value={state.q ?? ''}
              onInput={(event) => change({ q: event.currentTarget.value })}
            />
          </label>
          {sort === null ? null : (
            <button type="button" onClick={() => change({ sort: null, order: null })}>
              By rank again
            </button>
          )}
        </div>
      </div>
      {found.length === 0 ? (
        <p class="quiet">
          {ranking.length === 0 ? 'No model took part in this period.' : `No model has “${state.q}” in its name.`}
        </p>
      ) : (
        <DataTable
          label="Models of the period"
          columns={columns}
          rows={sortRows(found, columns, sort)}
          keyOf={({ model_id }) => model_id}
          sort={sort}
          onSort={({ key, isDescending }) => change({ sort: key, order: isDescending ? null : 'asc' })}
          isMarked={({ model_id }) => pins.has(model_id)}
        />
      )}
    </section>
  )
}
