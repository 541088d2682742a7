import { Link } from 'wouter-preact'
import { columnNumbers, fullNumber, noData, percent, wholeNumber } from '../../format/numbers.ts'
import { exactShare, fullReward } from '../../format/rewards.ts'
import { unpaidReasons, wordOf } from '../../format/words.ts'
import type { Column } from '../../parts/data-table.tsx'
import type { RankedModel } from './checkpoint-data.ts'

export interface PayoutColumns {
  readonly ranking: readonly RankedModel[]
  /** Paid models without a wallet. Absent: nothing is said about wallets. */
  readonly unmapped?: ReadonlySet<string> | undefined
  /** Indexes on chain, by model. */
  readonly indexes?: ReadonlyMap<string, number> | undefined
  /** Of the shares. */
  readonly decimals: number
}

/** The columns of the models of a payout: what each gets first, then what that follows from. */
export function payoutColumns(columns: PayoutColumns): readonly Column<RankedModel>[] {
  return [...resultColumns(columns), ...reasonColumns(columns)]
}

function resultColumns({ ranking, decimals }: PayoutColumns): readonly Column<RankedModel>[] {
  const format = columnNumbers(ranking.map(({ value }) => value))
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
  ]
}

function reasonColumns(columns: PayoutColumns): readonly Column<RankedModel>[] {
  return [
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
    ...(columns.unmapped === undefined ? [] : [walletColumn(columns)]),
    {
      key: 'reason',
      title: 'Why not paid',
      width: 'minmax(260px, 2fr)',
      order: ({ unpaid_reason }) => unpaid_reason,
      cell: ({ unpaid_reason }) => <span class="quiet cut">{wordOf(unpaidReasons, unpaid_reason)}</span>,
    },
  ]
}

function walletColumn({ unmapped, indexes }: PayoutColumns): Column<RankedModel> {
  return {
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
}

export function ModelLink({ of: { model_id, model_name } }: { readonly of: RankedModel }) {
  return (
    <Link class="cut" href={`/models/${encodeURIComponent(model_id)}`} title={model_name ?? model_id}>
      {model_name ?? model_id}
    </Link>
  )
}
