import { Link } from 'wouter-preact'
import { seriesKey } from '../../data/records.ts'
import { useFeeds } from '../../data/resources.ts'
import { useAddressWith, useUrlState } from '../../data/url-state.ts'
import { noData, wholeNumber } from '../../format/numbers.ts'
import { Age } from '../../parts/age.tsx'
import { Copyable } from '../../parts/copyable.tsx'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { Empty } from '../../parts/empty.tsx'
import { Loaded } from '../../parts/panel.tsx'
import { StateMark } from '../../parts/state-mark.tsx'
import { Instant, Time } from '../../parts/time.tsx'
import { Backfills } from './backfills.tsx'
import { type Feed, feedMoods } from './feed-names.ts'
import { OneFeed } from './one-feed.tsx'
import './feeds.css'

/** The data that questions and truths come from: whether they arrive, whether they are trusted, and what they are. */
export default function FeedsPage() {
  const feeds = useFeeds()
  const [url] = useUrlState()
  return (
    <>
      <div class="page-head">
        <div>
          <h1>Feeds</h1>
          <p>The series that rounds ask about and that resolve their truth.</p>
        </div>
        <Age resource={feeds} />
      </div>
      <Loaded resource={feeds}>
        {(rows) => {
          const chosen = rows.find((feed) => seriesKey(feed) === url.feed) ?? rows[0]
          return (
            <>
              {url.feed !== undefined && chosen !== undefined && seriesKey(chosen) !== url.feed ? (
                <p class="warn">The node has no series {url.feed}.</p>
              ) : null}
              {chosen === undefined ? <NoFeeds /> : <FeedTable feeds={rows} chosen={seriesKey(chosen)} />}
              {chosen === undefined ? null : <OneFeed key={seriesKey(chosen)} feed={chosen} />}
              <Backfills feeds={rows} />
            </>
          )
        }}
      </Loaded>
    </>
  )
}

function FeedTable({ feeds, chosen }: { readonly feeds: readonly Feed[]; readonly chosen: string }) {
  const address = useAddressWith()
  const columns: readonly Column<Feed>[] = [
    {
      key: 'series',
      title: 'Series',
      width: 'minmax(150px, 1fr)',
      isHeld: true,
      cell: (feed) => (
        <Link
          class="cut"
          href={address({ feed: seriesKey(feed), show: null })}
          title={seriesKey(feed)}
          aria-current={seriesKey(feed) === chosen ? 'true' : undefined}
        >
          {feed.subject} {feed.granularity}
        </Link>
      ),
    },
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
  return (
    <DataTable
      label="Series"
      columns={columns}
      rows={feeds}
      keyOf={seriesKey}
      isMarked={(feed) => seriesKey(feed) === chosen}
      versionOf={({ status }) => status}
    />
  )
}

function NoFeeds() {
  return (
    <Empty>
      <p>No series is known yet. The feed-data worker follows those of the contract as soon as it runs.</p>
      <p>Whether it runs is said by</p>
      <Copyable text="npx crunch status" />
    </Empty>
  )
}
