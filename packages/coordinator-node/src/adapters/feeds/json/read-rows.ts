import { CrunchError } from '../../../domain/errors.ts'
import type { FeedScope } from '../../../domain/feed-record.ts'
import { type InstantReading, readEpoch, readInstant } from '../../../domain/instant-text.ts'
import type { Json } from '../../../domain/json/json.ts'
import { durationMs, type Instant } from '../../../domain/time.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import { compilePath, compileSingularPath } from './json-path.ts'
import type { PollJsonOptions } from './poll-json-options.ts'

/** Reads the records of one series from an answer. */
export type RowReader = (document: unknown, scope: FeedScope, answer: AnswerPlace) => SourceRecord[]

export interface AnswerPlace {
  /** Where the answer came from, for errors. */
  readonly place: string
  /** Logs each message once. */
  readonly warnOnce: (message: string, reason: string) => void
}

interface Row {
  readonly time: unknown
  readonly values: readonly (readonly [string, unknown])[]
}

type RowFinder = (document: unknown, answer: AnswerPlace) => readonly Row[]

/** Checks the paths of the options; throws a `CrunchError` CONTRACT_INVALID that names an invalid one. */
export function createRowReader(options: PollJsonOptions): RowReader {
  const { rows, settleAfter } = options
  const find = rows === undefined ? findInColumns(options) : findInRows(options, rows)
  const settleMs = settleAfter === undefined ? 0 : durationMs(settleAfter)
  return (document, scope, answer) => {
    const finalMs = settleMs + (scope.kind === 'candle' ? durationMs(scope.granularity) : 0)
    return find(document, answer).flatMap(({ time, values }, index) => {
      if (values.some(([, value]) => value === undefined || value === null)) return []
      const eventAt = readTime(time, options, index, answer)
      // Values parsed from JSON are JSON.
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
  const [, listPath] = /^(.+)\[\*\]$/.exec(rows) ?? []
  const findList = listPath === undefined ? undefined : compilePath(listPath, 'rows')
  return (document, answer) => {
    const found = findRows(document)
    if (found.length === 0 && findList?.(document).length === 0) {
      answer.warnOnce(`no list of rows is at ${listPath}`, `${answer.place} answered ${namesIn(document)}`)
    }
    const all = found.map((row) => ({
      time: findTime(row),
      values: finders.map(([name, find]) => [name, find(row)] as const),
    }))
    // A row may lack a value for a while; if all of them do, the path is more likely wrong.
    for (const [index, [name]] of finders.entries()) {
      if (all.length === 0 || all.some((row) => row.values[index]?.[1] !== undefined)) continue
      const message = `no row has a value at ${values[name]} (values.${name}), so none becomes a record`
      answer.warnOnce(message, `the first row of ${answer.place} is ${namesIn(found[0])}`)
    }
    return all
  }
}

function namesIn(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value).slice(0, 60)
  return `an object with ${Object.keys(value).slice(0, 20).join(', ') || 'nothing'}`
}

function findInColumns({ time, values }: PollJsonOptions): RowFinder {
  const findTimes = compilePath(time, 'time')
  const finders = Object.entries(values).map(
    ([name, path]) => [name, path, compilePath(path, `values.${name}`)] as const,
  )
  return (document, { place }) => {
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

function readTime(value: unknown, options: PollJsonOptions, index: number, answer: AnswerPlace): Instant {
  const { time, timeFormat = 'iso' } = options
  const reading = timeFormat === 'iso' ? readDate(value) : readEpoch(value, timeFormat)
  if (reading.at !== undefined) {
    if (reading.assumesUtc) answer.warnOnce('times without a zone are read as UTC', `"${value}" says none`)
    return reading.at
  }
  const found = value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 60)
  const row = `row ${index + 1} of the answer of ${answer.place}`
  const cause = `not a time of the format "${timeFormat}" (${reading.cause})`
  throw new CrunchError(
    'FEED_UNAVAILABLE',
    `${row} has ${found} at ${time}, ${cause}: set timeFormat or time of pollJson`,
  )
}

function readDate(value: unknown): InstantReading {
  const reading = readInstant(value)
  if (reading.at === undefined || reading.format === 'date') return reading
  return { at: undefined, cause: `it has the form of "${reading.format}"`, fix: `Set timeFormat: '${reading.format}'.` }
}
