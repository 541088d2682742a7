import { useMemo } from 'preact/hooks'
import { areCandles, gridMs, recordChart } from '../../charts/record-chart.ts'
import { TimeChart } from '../../charts/time-chart.tsx'
import { type StoredRecord, seriesKey, useNewestRecords } from '../../data/records.ts'
import { useRules } from '../../data/resources.ts'
import { useUrlState } from '../../data/url-state.ts'
import { counted } from '../../format/numbers.ts'
import { fieldNames, numericFields } from '../../format/numeric-fields.ts'
import { msOf } from '../../format/times.ts'
import { Panel } from '../../parts/panel.tsx'
import { StateMark } from '../../parts/state-mark.tsx'
import { Instant, Time } from '../../parts/time.tsx'
import { type Feed, feedMoods, feedWords } from './feed-names.ts'
import { Tail } from './tail.tsx'
import { VoidRounds } from './void-rounds.tsx'

/** One series: its state, its values over time, its newest records, and the rounds that it could not resolve. */
export function OneFeed({ feed }: { readonly feed: Feed }) {
  const records = useNewestRecords(feed)
  return (
    <>
      <FeedState feed={feed} />
      <Panel title={`${feed.subject}: the newest records`} resource={records}>
        {(rows) =>
          rows.length === 0 ? (
            <p>
              No record of the series has arrived yet{feed.status_reason === null ? '.' : `: ${feed.status_reason}`}
            </p>
          ) : (
            <SeriesChart feed={feed} records={rows} />
          )
        }
      </Panel>
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
  if (gate === undefined || gate === null) return null
  const rules = [
    ...(gate.frozen_after === null ? [] : [`${counted(gate.frozen_after, 'record')} in a row have the same values`]),
    ...(gate.max_jump === null ? [] : [`${gate.max_jump.field} jumps by more than ${gate.max_jump.limit * 100} %`]),
    ...(gate.agree === null
      ? []
      : [`${gate.agree.field} differs by more than ${gate.agree.within * 100} % from ${gate.agree.with}`]),
  ]
  return rules.length === 0 ? null : <p class="small quiet">Not trusted when {rules.join(', or ')}.</p>
}

function SeriesChart({ feed, records }: { readonly feed: Feed; readonly records: readonly StoredRecord[] }) {
  const [url, change] = useUrlState()
  const fields = useMemo(() => records.map(({ values }) => numericFields(values)), [records])
  const shows = [...(areCandles(fields) ? ['candles'] : []), ...fieldNames(fields)]
  const show = shows.find((one) => one === url.show) ?? shows[0]
  const data = useMemo(() => {
    const oldestFirst = records.map(({ ts_event, values }) => ({ at: msOf(ts_event), values })).reverse()
    return show === undefined ? null : recordChart(oldestFirst, gridMs(feed.kind, feed.granularity), show)
  }, [records, show])
  if (data === null || show === undefined) {
    return <p>The records have no numbers that could be drawn. The tail shows them.</p>
  }
  return (
    <>
      <TimeChart
        title={show === 'candles' ? `${feed.subject}: candles of ${feed.granularity}` : `${feed.subject}: ${show}`}
        data={data}
        foot={
          <>
            {counted(records.length, 'record')} from <Instant at={records.at(-1)?.ts_event ?? null} />; drag to zoom,
            double-click for all
          </>
        }
      />
      {shows.length < 2 ? null : (
        <label class="row small">
          Show
          <select value={show} onChange={(event) => change({ show: event.currentTarget.value })}>
            {shows.map((one) => (
              <option key={one} value={one}>
                {one === '' ? 'value' : one}
              </option>
            ))}
          </select>
          {feed.missing_count === null || feed.missing_count === 0 ? null : (
            <span class="warn">
              {counted(feed.missing_count, 'candle')} missing in all; <a href="#backfills">fetch them</a>
            </span>
          )}
        </label>
      )}
    </>
  )
}
