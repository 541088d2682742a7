import { useMemo } from 'preact/hooks'
import { areCandles, gridMs, recordChart } from '../../charts/record-chart.ts'
import { TimeChart } from '../../charts/time-chart.tsx'
import type { StoredRecord } from '../../data/records.ts'
import { useUrlState } from '../../data/url-state.ts'
import { counted } from '../../format/numbers.ts'
import { fieldNames, numericFields } from '../../format/numeric-fields.ts'
import { msOf } from '../../format/times.ts'
import { Instant } from '../../parts/time.tsx'
import type { Feed } from './feed-names.ts'
import { countWithin, rangesOf } from './ranges.ts'

interface SeriesChartProps {
  readonly feed: Feed
  /** Newest first. */
  readonly records: readonly StoredRecord[]
}

/** The values of a series over time, as candles where they are prices of a span. */
export function SeriesChart({ feed, records }: SeriesChartProps) {
  const [url] = useUrlState()
  const fields = useMemo(() => records.map(({ values }) => numericFields(values)), [records])
  const ranges = useMemo(() => rangesOf(records.map(({ ts_event }) => msOf(ts_event))), [records])
  const shows = [...(areCandles(fields) ? ['candles'] : []), ...fieldNames(fields)]
  const show = shows.find((one) => one === url.show) ?? shows[0]
  const range = ranges.find(({ key }) => key === url.range)
  const shown = useMemo(() => {
    const times = records.map(({ ts_event }) => msOf(ts_event))
    return range === undefined ? records : records.slice(0, countWithin(times, range.ms))
  }, [records, range])
  const data = useMemo(() => {
    const oldestFirst = shown.map(({ ts_event, values }) => ({ at: msOf(ts_event), values })).reverse()
    const grid = gridMs(
      feed.kind,
      feed.granularity,
      oldestFirst.map(({ at }) => at),
    )
    return show === undefined ? null : recordChart(oldestFirst, grid, show)
  }, [shown, show])
  if (data === null || show === undefined) {
    return <p>The records have no numbers that could be drawn. The tail shows them.</p>
  }
  return (
    <>
      <TimeChart
        key={`${show} ${range?.key}`}
        title={show === 'candles' ? `${feed.subject}: candles of ${feed.granularity}` : `${feed.subject}: ${show}`}
        data={data}
        foot={
          <>
            {counted(shown.length, 'record')} from <Instant at={shown.at(-1)?.ts_event ?? null} />; drag to zoom,
            double-click for all
          </>
        }
      />
      <div class="row small">
        <Choice label="Show" name="show" value={show} options={shows.map((one) => [one, one === '' ? 'value' : one])} />
        <Choice
          label="Range"
          name="range"
          value={range?.key ?? ''}
          options={[
            ...ranges.map(({ key, title }): [string, string] => [key, title]),
            ['', `newest ${counted(records.length, 'record')}`],
          ]}
        />
        {feed.missing_count === null || feed.missing_count === 0 ? null : (
          <span class="warn">
            {counted(feed.missing_count, 'candle')} missing in all; <a href="#backfills">fetch them</a>
          </span>
        )}
      </div>
    </>
  )
}

interface ChoiceProps {
  readonly label: string
  /** In the address. */
  readonly name: string
  readonly value: string
  readonly options: readonly (readonly [value: string, text: string])[]
}

function Choice({ label, name, value, options }: ChoiceProps) {
  const [, change] = useUrlState()
  if (options.length < 2) return null
  return (
    <label class="row">
      {label}
      <select value={value} onChange={(event) => change({ [name]: event.currentTarget.value })}>
        {options.map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}
