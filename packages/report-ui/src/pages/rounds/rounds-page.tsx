import { Link } from 'wouter-preact'
import { useFeeds, useRules } from '../../data/resources.ts'
import { useAddressWith, useUrlState } from '../../data/url-state.ts'
import { counted } from '../../format/numbers.ts'
import { duration } from '../../format/times.ts'
import { Age } from '../../parts/age.tsx'
import { Copyable } from '../../parts/copyable.tsx'
import { DataTable } from '../../parts/data-table.tsx'
import { Empty } from '../../parts/empty.tsx'
import { Loaded } from '../../parts/panel.tsx'
import { Time } from '../../parts/time.tsx'
import { roundColumns } from './round-columns.tsx'
import { type RoundState, useRounds } from './use-rounds.ts'
import './rounds.css'

const tabs: readonly { readonly state: RoundState | undefined; readonly title: string }[] = [
  { state: undefined, title: 'All' },
  { state: 'open', title: 'Open' },
  { state: 'resolved', title: 'Resolved' },
  { state: 'void', title: 'Void' },
]

/** Every question that was asked: what is open, what came true, and what could not be known. */
export default function RoundsPage() {
  const [url] = useUrlState()
  const state = tabs.find((tab) => tab.state === url.state)?.state
  const rounds = useRounds({ state, subject: url.subject })
  return (
    <>
      <div class="page-head">
        <div>
          <h1>Rounds</h1>
          <p>Each round asks all models one question. Its answers are scored once the truth is known.</p>
        </div>
        <Age resource={rounds} />
      </div>
      <div class="row">
        <Tabs selected={state} />
        <SubjectChoice />
      </div>
      <Loaded resource={rounds}>
        {({ rows, hasMore }) =>
          rows.length === 0 ? (
            <NoRounds state={state} subject={url.subject} />
          ) : (
            <>
              <DataTable
                label="Rounds, newest first"
                columns={roundColumns(rows)}
                rows={rows}
                keyOf={({ id }) => id}
                versionOf={({ state: shown, answers }) => `${shown} ${JSON.stringify(answers)}`}
              />
              <p class="row">
                {hasMore ? (
                  <button type="button" onClick={rounds.showMore}>
                    Show older rounds
                  </button>
                ) : null}
                <span class="quiet small">
                  {counted(rows.length, 'round')} shown{hasMore ? '' : '; there are no older ones'}
                </span>
              </p>
            </>
          )
        }
      </Loaded>
    </>
  )
}

function Tabs({ selected }: { readonly selected: RoundState | undefined }) {
  const address = useAddressWith()
  return (
    <nav class="tabs" aria-label="State of the rounds">
      {tabs.map(({ state, title }) => (
        <Link
          key={title}
          href={address({ state: state ?? null })}
          aria-current={state === selected ? 'page' : undefined}
        >
          {title}
        </Link>
      ))}
    </nav>
  )
}

/** Only where there is a choice. */
function SubjectChoice() {
  const [url, change] = useUrlState()
  const subjects = [...new Set(useFeeds().data.value?.map(({ subject }) => subject))]
  if (subjects.length < 2) return null
  return (
    <label class="row">
      <span class="quiet">Subject</span>
      <select value={url.subject ?? ''} onChange={(event) => change({ subject: event.currentTarget.value })}>
        <option value="">all</option>
        {subjects.map((subject) => (
          <option key={subject} value={subject}>
            {subject}
          </option>
        ))}
      </select>
    </label>
  )
}

interface NoRoundsProps {
  readonly state: RoundState | undefined
  readonly subject: string | undefined
}

function NoRounds({ state, subject }: NoRoundsProps) {
  const of = subject === undefined ? '' : ` of ${subject}`
  if (state === 'void') {
    return (
      <Empty>
        <p>No round{of} is void: every truth that was due has been known.</p>
      </Empty>
    )
  }
  if (state === 'resolved') {
    return (
      <Empty>
        <p>
          No round{of} has a truth yet. <Link href="/rounds?state=open">The open rounds</Link> say when theirs is due.
        </p>
      </Empty>
    )
  }
  return (
    <Empty>
      <p>
        {state === 'open' ? `No round${of} is open.` : `No round${of} has been asked yet.`} A round opens when the
        schedule is due and its series has a new record.
      </p>
      <Schedules subject={subject} />
      <NewestRecords subject={subject} />
      <p>What holds it up is said by</p>
      <Copyable text="npx crunch status" />
    </Empty>
  )
}

/** When rounds are expected. */
function Schedules({ subject }: { readonly subject: string | undefined }) {
  const all = useRules().data.value?.question.schedules ?? []
  const schedules = all.filter((schedule) => subject === undefined || schedule.subject === subject)
  if (schedules.length === 0) return null
  return (
    <ul>
      {schedules.map(({ key, subject: about, every, on }) => (
        <li key={key}>
          {about} is asked every {duration(every * 1_000)},{' '}
          {on === 'record' ? 'when a new record arrives' : 'by the clock'}
        </li>
      ))}
    </ul>
  )
}

/** Whether the series bring records. */
function NewestRecords({ subject }: { readonly subject: string | undefined }) {
  const feeds = useFeeds().data.value?.filter((feed) => subject === undefined || feed.subject === subject)
  if (feeds === undefined) return null
  if (feeds.length === 0) return <p>No series has brought a record yet.</p>
  return (
    <ul>
      {feeds.map((feed) => (
        <li key={`${feed.source} ${feed.subject} ${feed.kind} ${feed.granularity}`}>
          <Link href="/feeds">
            {feed.subject} {feed.granularity}
          </Link>{' '}
          is {feed.status}; newest record{' '}
          {feed.watermark_ts === null ? 'not there yet' : <Time at={feed.watermark_ts} />}
        </li>
      ))}
    </ul>
  )
}
