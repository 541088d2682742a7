import { Link } from 'wouter-preact'
import { scopeOf } from '../../data/records.ts'
import { counted } from '../../format/numbers.ts'
import { Panel } from '../../parts/panel.tsx'
import { Time } from '../../parts/time.tsx'
import { useRounds } from '../rounds/use-rounds.ts'
import type { Feed } from './feed-names.ts'

const shownCount = 10

/** Where the gates, or missing records, decided that a truth could not be trusted. */
export function VoidRounds({ feed }: { readonly feed: Feed }) {
  const rounds = useRounds({ ...scopeOf(feed), state: 'void' })
  return (
    <Panel title="Rounds without a truth that could be trusted" resource={rounds}>
      {({ rows, hasMore }) =>
        rows.length === 0 ? (
          <p class="quiet">No round of this series is void.</p>
        ) : (
          <>
            <ul class="stack void-rounds">
              {rows.slice(0, shownCount).map((round) => (
                <li key={round.id}>
                  <Link href={`/rounds/${encodeURIComponent(round.id)}`}>
                    <Time at={round.performed_at} />
                  </Link>{' '}
                  {round.void_reason}
                </li>
              ))}
            </ul>
            <p class="small">
              <Link href={`/rounds?state=void&subject=${encodeURIComponent(feed.subject)}`}>
                All {hasMore ? '' : counted(rows.length, 'void round')}
                {hasMore ? 'void rounds' : ''} of {feed.subject}
              </Link>
            </p>
          </>
        )
      }
    </Panel>
  )
}
