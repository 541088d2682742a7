import { z } from 'zod'
import { type FeedScope, type FeedState, feedScopeKey } from '../../../domain/feed-record.ts'
import { durationMs, type Instant } from '../../../domain/time.ts'
import type { FieldBucket } from '../../../ports/reads/page-reads.ts'
import { defineRoute } from '../../http/define-route.ts'
import { problem } from '../../http/problem.ts'
import { checkRange, idField, instantField, wholeNumberField } from '../../http/query-fields.ts'
import { serveRoute } from '../../http/serve-route.ts'
import { zonedTime } from '../../rows/row-fields.ts'
import { numberOrNull, zonedTime as zonedTimeSchema } from '../../schemas/fields.ts'
import { scopeFields } from '../../schemas/question.ts'

/** More records than this would keep the database busy for seconds. */
const maxRecords = 200_000

const values = z.array(numberOrNull).meta({ description: 'At each of `times`; null where there is no record.' })

export const feedSeries = defineRoute({
  method: 'get',
  path: '/reports/feeds/series',
  tag: 'Feeds',
  summary: 'The numbers of one series over time, in at most `points` points.',
  description: [
    'Candles are merged into longer candles (first open, highest high, lowest low, last close, all volume). Default range: the newest `points` records',
    `of the grid. A range in which the grid has more than ${maxRecords} records is refused. The times at which the gate refused the series are not stored:`,
    '`/reports/rounds?state=void` has the rounds that became void, and `/reports/feeds` the present state.',
  ].join(' '),
  tier: 'public',
  query: z.object({
    ...{ source: idField, subject: idField, kind: idField, granularity: idField },
    ...{ start: instantField, end: instantField },
    points: wholeNumberField(500, 2_000).meta({ description: 'How many points the range has at most.' }),
  }),
  answer: z
    .object({
      ...scopeFields,
      bucket_s: z.number().meta({ description: 'The time between two points, in seconds.' }),
      times: z
        .array(zonedTimeSchema)
        .meta({ description: "The start of each point, by the provider's time. UTC, with Z." }),
      fields: z
        .record(z.string(), z.object({ first: values, last: values, min: values, max: values, sum: values }))
        .meta({
          description:
            'Every numeric field. A candle: `open.first`, `high.max`, `low.min`, `close.last`, `volume.sum`.',
        }),
    })
    .meta({ id: 'FeedSeries' }),
  errors: [404],
  example: { path: '/reports/feeds/series?source=binance&subject=BTCUSDT&kind=candle&granularity=1m&points=3' },
})

export const serveFeedSeries = serveRoute(feedSeries, ({ reads }) => async ({ query, context }) => {
  const { source, subject, kind, granularity, start, end, points } = query
  const scope: FeedScope = { source, subject, kind, granularity }
  const states = await reads.feedStates()
  const state = states.find((one) => feedScopeKey(one.scope) === feedScopeKey(scope))
  if (state === undefined) {
    const known = states.map((one) => feedScopeKey(one.scope)).join(', ')
    return problem(
      context,
      404,
      `This node has no series ${feedScopeKey(scope)}. It has ${known === '' ? 'none' : known}.`,
    )
  }
  const range = rangeOf(state, { start, end, points })
  if (range === null) return { ...scope, bucket_s: durationMs(granularity) / 1_000, times: [], fields: {} }
  const buckets = await reads.fieldBuckets({ scope, ...range })
  return { ...scope, bucket_s: range.bucketMs / 1_000, ...columnsOf(buckets, range) }
})

interface Wanted {
  readonly start: Instant | undefined
  readonly end: Instant | undefined
  readonly points: number
}

interface Range {
  readonly from: Instant
  readonly to: Instant
  readonly bucketMs: number
}

/** The part of the wanted range in which the series has records; `null` if it has none. */
function rangeOf({ scope, oldestEventAt, newestEventAt }: FeedState, { start, end, points }: Wanted): Range | null {
  if (start !== undefined && end !== undefined) checkRange(start, end, 'start')
  if (oldestEventAt === null || newestEventAt === null) return null
  const stepMs = durationMs(scope.granularity)
  const to = Math.min(end ?? Number.POSITIVE_INFINITY, newestEventAt + 1)
  const from = Math.max(start ?? to - 1 - (points - 1) * stepMs, oldestEventAt)
  if (from >= to) return null
  const recordCount = Math.ceil((to - from) / stepMs)
  if (recordCount > maxRecords) refuseRange(from)
  let bucketMs = Math.ceil(recordCount / points) * stepMs
  // The first and the last bucket can reach beyond the range.
  while (bucketCount({ from, to, bucketMs }) > points) bucketMs += stepMs
  return { from, to, bucketMs }
}

function bucketCount({ from, to, bucketMs }: Range): number {
  return Math.floor((to - 1) / bucketMs) - Math.floor(from / bucketMs) + 1
}

function refuseRange(input: Instant): never {
  const message = `must leave a range of at most ${maxRecords} records of the grid: ask for a shorter one`
  throw new z.ZodRealError([{ code: 'custom', path: ['start'], message, input }])
}

/** A column for each field, with null in empty buckets. */
function columnsOf(buckets: readonly FieldBucket[], range: Range) {
  const count = bucketCount(range)
  const firstStart = Math.floor(range.from / range.bucketMs) * range.bucketMs
  const empty = () => new Array<number | null>(count).fill(null)
  // A provider chooses the names of fields, so an object is not safe to fill.
  const fields = new Map<string, Record<'first' | 'last' | 'min' | 'max' | 'sum', (number | null)[]>>()
  for (const { start, field, first, last, min, max, sum } of buckets) {
    const columns = fields.get(field) ?? { first: empty(), last: empty(), min: empty(), max: empty(), sum: empty() }
    fields.set(field, columns)
    const index = (start - firstStart) / range.bucketMs
    columns.first[index] = first
    columns.last[index] = last
    columns.min[index] = min
    columns.max[index] = max
    columns.sum[index] = sum
  }
  const times = Array.from({ length: count }, (_, index) => zonedTime(firstStart + index * range.bucketMs))
  return { times, fields: Object.fromEntries(fields) }
}
