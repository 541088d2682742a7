import { useMemo } from 'preact/hooks'
import { Link } from 'wouter-preact'
import type { ChartData } from '../../charts/chart-data.ts'
import { areCandles, gridMs, recordChart, type SeriesRecord } from '../../charts/record-chart.ts'
import { seriesRecords } from '../../charts/series-records.ts'
import { TimeChart } from '../../charts/time-chart.tsx'
import { seriesKey } from '../../data/records.ts'
import { type Series, useSeries } from '../../data/series.ts'
import { counted } from '../../format/numbers.ts'
import { fieldNames, numericFields } from '../../format/numeric-fields.ts'
import { msOf } from '../../format/times.ts'
import { Panel } from '../../parts/panel.tsx'
import { answerFan, fieldOfTruth } from './answer-fan.ts'
import type { Round } from './use-round.ts'

/** The series before, during and after the round, with the answers over it where its truth is a value of the series. */
export function RoundSeries({ round }: { readonly round: Round }) {
  const [from, to] = rangeAround(round)
  const series = useSeries(round, { start: new Date(from).toISOString(), end: new Date(to).toISOString(), points: 500 })
  return (
    <Panel title="The series around the round" resource={series}>
      {(found) => <SeriesChart round={round} found={found} />}
    </Panel>
  )
}

interface SeriesChartProps {
  readonly round: Round
  readonly found: Series
}

/** In ms: three horizons before the question, and one after the truth. */
function rangeAround({ performed_at, resolvable_at }: Round): readonly [from: number, to: number] {
  const [askedAt, truthAt] = [msOf(performed_at), msOf(resolvable_at)]
  return [askedAt - 3 * (truthAt - askedAt), truthAt + (truthAt - askedAt)]
}

function SeriesChart({ round, found }: SeriesChartProps) {
  const series = useMemo(() => seriesAround(round, found), [round, found])
  if (series === null) {
    return (
      <p class="quiet">
        No record of that time is stored any more. The newest ones are shown with{' '}
        <Link href={`/feeds?feed=${encodeURIComponent(seriesKey(round))}`}>the feed</Link>.
      </p>
    )
  }
  const { data, answerCount, recordCount } = series
  return (
    <TimeChart
      title={
        answerCount === 0
          ? `${round.subject} before and after the question`
          : `${round.subject}, and where ${counted(answerCount, 'answer')} said it goes`
      }
      data={data}
      foot={`${counted(recordCount, 'record')}; the dotted lines are the question and its truth${
        answerCount === 0 ? '' : '; the band has the middle 80 % of the answers'
      }`}
    />
  )
}

/** Null without a record of that time. */
function seriesAround(round: Round, found: Series) {
  const [askedAt, truthAt] = [msOf(round.performed_at), msOf(round.resolvable_at)]
  const stored = seriesRecords(found)
  const times = stored.map(({ at }) => at)
  const step = gridMs(round.kind, round.granularity, times) === null ? null : found.bucket_s * 1_000
  // A record is known at its end.
  const records = stored.map(({ at, values }): SeriesRecord => ({ at: at + (step ?? 0), values }))
  const before = records.filter(({ at }) => at <= askedAt)
  if (before.length === 0) return null
  const fields = records.map(({ values }) => numericFields(values))
  const answered = round.predictions.flatMap(({ signal_value }) => signal_value ?? [])
  const truth = round.predictions.find(({ actual_value }) => actual_value !== null)?.actual_value ?? null
  const predicted = fieldOfTruth(fields[records.findLastIndex(({ at }) => at <= truthAt)], truth)
  const field = predicted ?? (areCandles(fields) ? 'close' : fieldNames(fields)[0])
  if (field === undefined) return null
  const entry = numericFields(before.at(-1)?.values).get(field)
  const ticks = [
    { at: askedAt, label: 'asked' },
    { at: truthAt, label: 'truth' },
  ]
  const withEnds = withTimes(records, [askedAt, truthAt])
  const show = areCandles(fields) && (predicted ?? 'close') === 'close' ? 'candles' : field
  const data: ChartData = { ...recordChart(withEnds, step, show), ticks }
  const recordCount = records.length
  if (entry === undefined || predicted === undefined) return { data, answerCount: 0, recordCount }
  const fan = answerFan(data.times, { askedAt, truthAt, entry }, answered)
  const band = { label: 'answers', low: fan.low, high: fan.high }
  const middle = { label: 'median', values: fan.middle, hue: 1, isDashed: true } as const
  const lines = [...(data.lines ?? []).map((line) => ({ ...line, hue: 3 as const })), middle]
  return { data: { ...data, lines, bands: [band] }, answerCount: answered.length, recordCount }
}

/** The chart also needs the times of question and truth, at which no record may have been known. */
function withTimes(records: readonly SeriesRecord[], times: readonly number[]): readonly SeriesRecord[] {
  const missing = times.filter((time) => !records.some(({ at }) => at === time))
  return [...records, ...missing.map((at) => ({ at, values: {} }))].sort((one, other) => one.at - other.at)
}
