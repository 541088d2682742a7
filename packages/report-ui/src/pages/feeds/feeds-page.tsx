import { Link } from 'wouter-preact'
import { seriesKey } from '../../data/records.ts'
import { useFeeds } from '../../data/resources.ts'
import { useAddressWith, useUrlState } from '../../data/url-state.ts'
import { Age } from '../../parts/age.tsx'
import { Copyable } from '../../parts/copyable.tsx'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { Empty } from '../../parts/empty.tsx'
import { Loaded } from '../../parts/panel.tsx'
import { Backfills } from './backfills.tsx'
import { feedColumns } from './feed-columns.tsx'
import type { Feed } from './feed-names.ts'
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
  const series: Column<Feed> = {
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
  }
  return (
    <DataTable
      label="Series"
      columns={[series, ...feedColumns]}
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
