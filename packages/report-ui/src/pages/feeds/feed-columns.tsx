import { noData, wholeNumber } from '../../format/numbers.ts'
import type { Column } from '../../parts/data-table.tsx'
import { StateMark } from '../../parts/state-mark.tsx'
import { Instant, Time } from '../../parts/time.tsx'
import { type Feed, feedMoods } from './feed-names.ts'

/** Whether a series arrives and is trusted, and how much of it there is. */
export const feedColumns: readonly Column<Feed>[] = [
  {
    key: 'state',
    title: 'State',
    width: '96px',
    cell: ({ status }) => <StateMark mood={feedMoods[status]} word={status} />,
  },
  { key: 'newest', title: 'Newest known', width: '124px', cell: ({ watermark_ts }) => <Time at={watermark_ts} /> },
  { key: 'since', title: 'State since', width: '124px', cell: ({ status_since }) => <Time at={status_since} /> },
  {
    key: 'gaps',
    title: 'Missing',
    hint: 'Candles that are missing between the first and the newest',
    width: '84px',
    isNumber: true,
    cell: ({ missing_count }) => <span class={missing_count ? 'warn' : ''}>{wholeNumber(missing_count)}</span>,
  },
  {
    key: 'records',
    title: 'Records',
    width: '100px',
    isNumber: true,
    cell: ({ record_count }) => wholeNumber(record_count),
  },
  {
    key: 'revisions',
    title: 'Revisions',
    hint: 'Records that arrived again with other values, which are not applied',
    width: '92px',
    isNumber: true,
    cell: ({ revision_count }) => wholeNumber(revision_count),
  },
  { key: 'from', title: 'From', width: '168px', cell: ({ oldest_ts }) => <Instant at={oldest_ts} /> },
  {
    key: 'reason',
    title: 'Reason',
    width: 'minmax(200px, 3fr)',
    cell: ({ status_reason }) => (
      <span class="cut" title={status_reason ?? ''}>
        {status_reason ?? <span class="quiet">{noData}</span>}
      </span>
    ),
  },
]
