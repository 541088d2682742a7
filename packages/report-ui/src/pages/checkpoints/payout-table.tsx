import { Link } from 'wouter-preact'
import { Bars } from '../../charts/bars.tsx'
import { useUrlState } from '../../data/url-state.ts'
import { columnNumbers, counted, fullNumber, noData, percent, wholeNumber } from '../../format/numbers.ts'
import { exactShare, fullReward, shareDecimals, sumOf } from '../../format/rewards.ts'
import { unpaidReasons, wordOf } from '../../format/words.ts'
import { type Column, DataTable, type Sort, sortRows } from '../../parts/data-table.tsx'
import { usePins } from '../leaderboard/pins.ts'
import { paidOf, type RankedModel } from './checkpoint-data.ts'

interface PayoutTableProps {
  readonly ranking: readonly RankedModel[]
  /** Paid models without a wallet. Absent: nothing is said about wallets. */
  readonly unmapped?: ReadonlySet<string>
  /** Indexes on chain, by model. */
  readonly indexes?: ReadonlyMap<string, number>
}

/** More bars are no picture; the table has them all. */
const barCount = 20

/** Who gets what: as bars, and as a table of all models with the reason of those that get nothing. */
export function PayoutTable({ ranking, unmapped, indexes }: PayoutTableProps) {
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

function AllModels(props: PayoutTableProps & { readonly decimals: number }) {
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

function payoutColumns({
  ranking,
  unmapped,
  indexes,
  decimals,
}: PayoutTableProps & { readonly decimals: number }): readonly Column<RankedModel>[] {
  const format = columnNumbers(ranking.map(({ value }) => value))
  const wallet: Column<RankedModel> = {
    key: 'index',
    title: 'On chain',
    hint: "The cruncher's index on chain",
    width: '100px',
    isNumber: true,
    cell: ({ model_id, reward_pct }) => {
      if (reward_pct === 0) return noData
      if (unmapped?.has(model_id) === true) return <span class="warn">▲ no wallet</span>
      return indexes?.get(model_id) ?? noData
    },
  }
  return [
    {
      key: 'rank',
      title: 'Rank',
      width: '64px',
      isNumber: true,
      isHeld: true,
      order: ({ rank }) => (rank === null ? null : -rank),
      cell: ({ rank }) => <strong>{rank ?? noData}</strong>,
    },
    {
      key: 'model',
      title: 'Model',
      width: 'minmax(160px, 2fr)',
      order: ({ model_name, model_id }) => model_name ?? model_id,
      cell: (row) => <ModelLink of={row} />,
    },
    {
      key: 'share',
      title: 'Share',
      hint: 'Exact: nothing is rounded',
      width: '124px',
      isNumber: true,
      isLeading: true,
      order: ({ reward_pct }) => reward_pct,
      cell: ({ reward_pct }) =>
        reward_pct === 0 ? (
          <span class="quiet">0 %</span>
        ) : (
          <span title={`${wholeNumber(reward_pct)} of ${wholeNumber(fullReward)} units`}>
            {exactShare(reward_pct, decimals)}
          </span>
        ),
    },
    {
      key: 'value',
      title: 'Value',
      hint: 'Over exactly this period',
      width: '104px',
      isNumber: true,
      order: ({ value }) => value,
      cell: ({ value }) => <span title={fullNumber(value)}>{format(value)}</span>,
    },
    {
      key: 'cruncher',
      title: 'Cruncher',
      width: 'minmax(100px, 1fr)',
      order: ({ cruncher_name }) => cruncher_name,
      cell: ({ cruncher_name }) => <span class="cut">{cruncher_name ?? noData}</span>,
    },
    {
      key: 'coverage',
      title: 'Answered',
      width: '150px',
      isNumber: true,
      order: ({ coverage }) => coverage,
      cell: ({ coverage, answered_count, round_count }) => (
        <>
          <span class="quiet">
            {wholeNumber(answered_count)} of {wholeNumber(round_count)}
          </span>
          {percent(coverage)}
        </>
      ),
    },
    ...(unmapped === undefined ? [] : [wallet]),
    {
      key: 'reason',
      title: 'Why not paid',
      width: 'minmax(260px, 2fr)',
      order: ({ unpaid_reason }) => unpaid_reason,
      cell: ({ unpaid_reason }) => <span class="quiet cut">{wordOf(unpaidReasons, unpaid_reason)}</span>,
    },
  ]
}

function ModelLink({ of: { model_id, model_name } }: { readonly of: RankedModel }) {
  return (
    <Link class="cut" href={`/models/${encodeURIComponent(model_id)}`} title={model_name ?? model_id}>
      {model_name ?? model_id}
    </Link>
  )
}
