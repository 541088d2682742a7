import { seriesKey, useNewestRecords } from '../../data/records.ts'
import { useRules } from '../../data/resources.ts'
import { Panel } from '../../parts/panel.tsx'
import { StateMark } from '../../parts/state-mark.tsx'
import { Time } from '../../parts/time.tsx'
import { gateRules } from '../about/rule-text.ts'
import { type Feed, feedMoods, feedWords } from './feed-names.ts'
import { SeriesPanel } from './series-chart.tsx'
import { Tail } from './tail.tsx'
import { VoidRounds } from './void-rounds.tsx'

/** One series: its state, its values over time, its newest records, and the rounds that it could not resolve. */
export function OneFeed({ feed }: { readonly feed: Feed }) {
  const records = useNewestRecords(feed)
  return (
    <>
      <FeedState feed={feed} />
      {feed.newest_ts === null ? (
        <section class="panel">
          <p>No record of the series has arrived yet{feed.status_reason === null ? '.' : `: ${feed.status_reason}`}</p>
        </section>
      ) : (
        <SeriesPanel feed={feed} newest={feed.newest_ts} />
      )}
      <div class="panels feed-panels">
        <VoidRounds feed={feed} />
        <Panel title="Tail: the newest records as they are stored" resource={records}>
          {(rows) => <Tail records={rows} />}
        </Panel>
      </div>
    </>
  )
}

function FeedState({ feed }: { readonly feed: Feed }) {
  return (
    <section class="panel" aria-label="State of the series">
      <div class="panel-head">
        <h2>{seriesKey(feed)}</h2>
        <StateMark mood={feedMoods[feed.status]} word={feed.status} />
      </div>
      <p>{feedWords[feed.status]}</p>
      <p>
        In this state since <Time at={feed.status_since} />
        {feed.status_reason === null ? '' : `: ${feed.status_reason}`}
      </p>
      <GateRules feed={feed} />
    </section>
  )
}

/** When the contract does not trust the series. */
function GateRules({ feed }: { readonly feed: Feed }) {
  const gate = useRules().data.value?.feeds.find((one) => seriesKey(one) === seriesKey(feed))?.gate
  const rules = gateRules(gate ?? null)
  return rules.length === 0 ? null : <p class="small quiet">Not trusted when {rules.join(', or ')}.</p>
}
