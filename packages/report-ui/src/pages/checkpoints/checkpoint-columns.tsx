import { Link } from 'wouter-preact'
import { counted, noData, wholeNumber } from '../../format/numbers.ts'
import { periodText } from '../../format/period.ts'
import { exactShare, sumOf } from '../../format/rewards.ts'
import { msOf } from '../../format/times.ts'
import type { Column } from '../../parts/data-table.tsx'
import { Time } from '../../parts/time.tsx'
import { type Checkpoint, checkpointPath, paidOf } from './checkpoint-data.ts'
import { floorText } from './floor-text.ts'
import { CheckpointStatus } from './status-mark.tsx'

/** The columns of the list of payouts. */
export const checkpointColumns: readonly Column<Checkpoint>[] = [
  {
    key: 'period',
    title: 'Period',
    width: 'minmax(230px, 2fr)',
    order: ({ period_end }) => msOf(period_end),
    cell: ({ id, period_start, period_end }) => (
      <Link href={checkpointPath(id)} title={id}>
        {periodText(period_start, period_end)}
      </Link>
    ),
  },
  {
    key: 'ended',
    title: 'Ended',
    width: 'minmax(110px, 1fr)',
    cell: ({ period_end }) => <Time at={period_end} />,
  },
  {
    key: 'status',
    title: 'Status',
    width: 'minmax(140px, 1fr)',
    order: ({ status }) => status,
    cell: (row) => (
      <span class="changed-cell">
        <CheckpointStatus of={row} />
      </span>
    ),
  },
  {
    key: 'paid',
    title: 'Models paid',
    width: '110px',
    isNumber: true,
    order: ({ meta }) => paidOf(meta.ranking).length,
    cell: ({ meta }) => `${wholeNumber(paidOf(meta.ranking).length)} of ${wholeNumber(meta.model_count)}`,
  },
  {
    key: 'sum',
    title: 'Sum',
    hint: 'All rewards of the payout: everything or nothing',
    width: '80px',
    isNumber: true,
    order: ({ meta }) => sumOf(meta.ranking),
    cell: ({ meta }) => exactShare(sumOf(meta.ranking)),
  },
  {
    key: 'floor',
    title: 'Floor',
    hint: 'A paid value had to be better than it',
    width: '100px',
    isNumber: true,
    order: ({ meta }) => meta.floor,
    cell: ({ meta }) => floorText(meta).value,
  },
  {
    key: 'best',
    title: 'Best paid',
    width: 'minmax(160px, 2fr)',
    cell: ({ meta }) => <BestPaid of={meta.ranking} />,
  },
  {
    key: 'refused',
    title: 'Refused',
    hint: 'Truths and scores of the period that the contract refused',
    width: '130px',
    cell: ({ meta }) => {
      const refused = meta.refusals.reduce((sum, { count }) => sum + count, 0)
      if (refused === 0) return <span class="quiet">none</span>
      return meta.acknowledged_by === null ? (
        <span class="warn">▲ {counted(refused, 'result')}</span>
      ) : (
        <span title={`Accepted by ${meta.acknowledged_by}`}>{counted(refused, 'result')}, accepted</span>
      )
    },
  },
]

function BestPaid({ of }: { readonly of: Checkpoint['meta']['ranking'] }) {
  const [best] = paidOf(of)
  if (best === undefined) return noData
  return (
    <>
      <Link class="cut" href={`/models/${encodeURIComponent(best.model_id)}`}>
        {best.model_name ?? best.model_id}
      </Link>
      <span class="quiet">{exactShare(best.reward_pct)}</span>
    </>
  )
}
