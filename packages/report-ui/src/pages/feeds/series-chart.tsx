import { useMemo } from 'preact/hooks'
import { areCandles, gridMs, recordChart, stepMs } from '../../charts/record-chart.ts'
import { seriesRecords } from '../../charts/series-records.ts'
import { TimeChart } from '../../charts/time-chart.tsx'
import { type Series, useSeries } from '../../data/series.ts'
import { useUrlState } from '../../data/url-state.ts'
import { counted } from '../../format/numbers.ts'
import { fieldNames, numericFields } from '../../format/numeric-fields.ts'
import { duration, instant, msOf } from '../../format/times.ts'
import { Panel } from '../../parts/panel.tsx'
import type { Feed } from './feed-names.ts'
import { type Range, rangesOf } from './ranges.ts'

interface SeriesPanelProps {
  readonly feed: Feed
  /** The provider's time of the newest record. */
  readonly newest: string
}

/** Points that a wide screen can show. */
const pointCount = 600

/** The values of a series over a range that the viewer chooses, or that they dragged out. */
export function SeriesPanel({ feed, newest }: SeriesPanelProps) {
  const [url, change] = useUrlState()
  const ranges = rangesOf(feed)
  const range = ranges.find(({ key }) => key === url.range)
  const isZoomed = url.from !== undefined && url.to !== undefined
  const start = url.from ?? startOf(feed, newest, range)
  const series = useSeries(feed, { start, end: url.to, points: pointCount })
  const tools = (
    <>
      <Choice
        label="Range"
        name="range"
        value={isZoomed ? '' : (range?.key ?? '')}
        options={[
          ['', isZoomed ? 'dragged out' : 'newest records'],
          ...ranges.map(({ key, title }): [string, string] => [key, title]),
        ]}
        clears={['from', 'to']}
      />
      {isZoomed ? (
        <button type="button" onClick={() => change({ from: null, to: null })}>
          Show all
        </button>
      ) : null}
    </>
  )
  return (
    <Panel title={`${feed.subject} over time`} resource={series} tools={tools}>
      {(found) => <SeriesChart feed={feed} series={found} />}
    </Panel>
  )
}

/** Absent: the newest records, as many as there are points. */
function startOf(feed: Feed, newest: string, range: Range | undefined): string | undefined {
  if (range === undefined) return undefined
  return new Date(range.ms === null ? msOf(feed.oldest_ts ?? newest) : msOf(newest) - range.ms).toISOString()
}

function SeriesChart({ feed, series }: { readonly feed: Feed; readonly series: Series }) {
  const [url, change] = useUrlState()
  const records = useMemo(() => seriesRecords(series), [series])
  const fields = useMemo(() => records.map(({ values }) => numericFields(values)), [records])
  const shows = [...(areCandles(fields) ? ['candles'] : []), ...fieldNames(fields)]
  const show = shows.find((one) => one === url.show) ?? shows[0]
  const data = useMemo(() => {
    const grid = gridMs(
      feed.kind,
      feed.granularity,
      records.map(({ at }) => at),
    )
    return show === undefined ? null : recordChart(records, grid === null ? null : series.bucket_s * 1_000, show)
  }, [records, show])
  const first = records[0]
  if (data === null || show === undefined || first === undefined) {
    return <p>No record of this range has a number that could be drawn. The tail shows the records.</p>
  }
  const isSummedUp = series.bucket_s * 1_000 > (stepMs(feed.granularity) ?? 0)
  return (
    <>
      <TimeChart
        key={`${show} ${series.times[0]} ${series.bucket_s}`}
        title={
          show === 'candles'
            ? `${feed.subject}: candles of ${duration(series.bucket_s * 1_000)}`
            : `${feed.subject}: ${show}`
        }
        data={data}
        onZoom={(range) => {
          if (range !== null) change({ from: new Date(range[0]).toISOString(), to: new Date(range[1]).toISOString() })
        }}
        foot={
          <>
            {counted(records.length, 'point')} from {instant(first.at)}
            {isSummedUp ? `, each of ${duration(series.bucket_s * 1_000)}` : ''}; drag to see a part in detail
          </>
        }
      />
      <div class="row small">
        <Choice label="Show" name="show" value={show} options={shows.map((one) => [one, one === '' ? 'value' : one])} />
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
  /** Names in the address that a choice removes. */
  readonly clears?: readonly string[]
}

function Choice({ label, name, value, options, clears = [] }: ChoiceProps) {
  const [, change] = useUrlState()
  if (options.length < 2) return null
  return (
    <label class="row">
      {label}
      <select
        value={value}
        onChange={(event) =>
          change({ ...Object.fromEntries(clears.map((one) => [one, null])), [name]: event.currentTarget.value })
        }
      >
        {options.map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}
