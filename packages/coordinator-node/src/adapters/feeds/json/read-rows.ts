import { CrunchError } from '../../../domain/errors.ts'
import type { FeedScope } from '../../../domain/feed-record.ts'
import type { Json } from '../../../domain/json/json.ts'
import { durationMs, type Instant } from '../../../domain/time.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import { parseTime } from '../recording/parse-time.ts'
import { compilePath, compileSingularPath } from './json-path.ts'
import type { JsonTimeFormat, PollJsonOptions } from './poll-json-options.ts'

/** Reads the records of one series out of an answer of `place`. */
export type RowReader = (document: unknown, scope: FeedScope, place: string) => SourceRecord[]

interface Row {
  readonly time: unknown
  readonly values: readonly (readonly [string, unknown])[]
}

type RowFinder = (document: unknown, place: string) => readonly Row[]

/** Checks the paths of the options: throws a `CrunchError` CONTRACT_INVALID that names the wrong one. */
export function createRowReader(options: PollJsonOptions): RowReader {
  const { rows, settleAfter } = options
  const find = rows === undefined ? findInColumns(options) : findInRows(options, rows)
  const settleMs = settleAfter === undefined ? 0 : durationMs(settleAfter)
  return (document, scope, place) => {
    const finalMs = settleMs + (scope.kind === 'candle' ? durationMs(scope.granularity) : 0)
    return find(document, place).flatMap(({ time, values }, index) => {
      if (values.some(([, value]) => value === undefined || value === null)) return []
      const eventAt = readTime(time, options, index, place)
      // What comes out of JSON is JSON.
      const all = Object.fromEntries(values) as Readonly<Record<string, Json>>
      return [{ ...scope, eventAt, knownAt: eventAt + finalMs, values: all }]
    })
  }
}

function findInRows({ time, values }: PollJsonOptions, rows: string): RowFinder {
  const findRows = compilePath(rows, 'rows')
  const findTime = compileSingularPath(time, 'time')
  const finders = Object.entries(values).map(
    ([name, path]) => [name, compileSingularPath(path, `values.${name}`)] as const,
  )
  return (document) =>
    findRows(document).map((row) => ({
      time: findTime(row),
      values: finders.map(([name, find]) => [name, find(row)] as const),
    }))
}

function findInColumns({ time, values }: PollJsonOptions): RowFinder {
  const findTimes = compilePath(time, 'time')
  const finders = Object.entries(values).map(
    ([name, path]) => [name, path, compilePath(path, `values.${name}`)] as const,
  )
  return (document, place) => {
    const times = findTimes(document)
    const columns = finders.map(([name, path, find]) => {
      const column = find(document)
      if (column.length === times.length) return [name, column] as const
      const counts = `${column.length} values at ${path} (values.${name}), but ${times.length} times at ${time}`
      throw new CrunchError('FEED_UNAVAILABLE', `${place} answered ${counts}: each value needs one time`)
    })
    return times.map((one, index) => ({
      time: one,
      values: columns.map(([name, column]) => [name, column[index]] as const),
    }))
  }
}

const unitMs: Readonly<Record<JsonTimeFormat, number>> = { iso: 1, s: 1_000, ms: 1 }
/** Seconds since 1970 stay below this for 3,000 years, and milliseconds are above it since 1973. */
const secondsEnd = 100_000_000_000

function readTime(value: unknown, options: PollJsonOptions, index: number, place: string): Instant {
  const { time, timeFormat = 'iso' } = options
  const instant = timeFormat === 'iso' ? readIso(value) : readNumber(value, timeFormat)
  if (instant !== undefined) return instant
  const found = value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 60)
  const row = `row ${index + 1} of the answer of ${place}`
  throw new CrunchError(
    'FEED_UNAVAILABLE',
    `${row} has ${found} at ${time}, which is not a time of the format "${timeFormat}": set timeFormat of pollJson`,
  )
}

function readIso(value: unknown): Instant | undefined {
  // A row of digits would be taken for milliseconds.
  return typeof value === 'string' && !/^\d+$/.test(value) ? parseTime(value) : undefined
}

function readNumber(value: unknown, format: JsonTimeFormat): Instant | undefined {
  const number = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value
  if (typeof number !== 'number' || number < 0 || number < secondsEnd !== (format === 's')) return undefined
  return Math.floor(number * unitMs[format])
}
