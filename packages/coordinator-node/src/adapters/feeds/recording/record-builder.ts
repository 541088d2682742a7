import { readInstant } from '../../../domain/instant-text.ts'
import type { JsonObject } from '../../../domain/json/json.ts'
import { durationMs, formatInstant, type Instant } from '../../../domain/time.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import type { FileNotes } from './file-notes.ts'
import { oneOf } from './find-subject.ts'
import { cut, RowProblem, recordingError, refusalOf } from './recording-error.ts'
import type { RecordingFile, RecordingSeries } from './recording-options.ts'

/**
 * Names of time columns, compared without case and word separators (`Open time`, `date_time`). The first one present is the
 * time; the others are values.
 */
const timeColumns: readonly string[] = ['event_at', 'ts_ms', 'open_time', 'timestamp', 'datetime', 'time', 'date']
const timeNames = timeColumns.map(plainName)
export const knownAtColumn = 'known_at'
export const subjectColumn = 'subject'
/** Column with the time at which the node received the row; ignored, because a replay receives it again. */
export const receivedAtColumn = 'received_at'

/** Columns that contain only numbers, whatever the schema. */
export const numberColumns: ReadonlySet<string> = new Set(['open', 'high', 'low', 'close', 'volume', 'price'])

/** Values that rows of these kinds need to be records. */
const requiredValues: Readonly<Record<string, readonly string[]>> = {
  candle: ['open', 'high', 'low', 'close', 'volume'],
  tick: ['price'],
}

/**
 * Makes the record of one row; throws a {@link RowProblem}. A candle or tick without a value, such as the candle of a minute
 * without trades or of one that has not ended, is not a record.
 */
export type BuildRecord = (
  subject: string,
  eventAt: Instant,
  knownAt: Instant | undefined,
  values: JsonObject,
  /** `false`: only the schema decides whether the values of its kind are required. */
  isWhole?: boolean,
) => SourceRecord | undefined

/** Delay after its event at which a record without `known_at` becomes known. */
export function knownDelayMs({
  kind,
  granularity,
  knownAfter = kind === 'candle' ? 'granularity' : 'event',
}: Pick<RecordingSeries, 'kind' | 'granularity' | 'knownAfter'>): number {
  return knownAfter === 'granularity' ? durationMs(granularity) : 0
}

export function createRecordBuilder(series: RecordingSeries): BuildRecord {
  const { source, kind, granularity } = series
  const delayMs = knownDelayMs(series)
  const subjects = new Set(series.subjects)
  const required = requiredValues[kind] ?? []
  return (subject, eventAt, givenKnownAt, values, isWhole = true) => {
    if (!subjects.has(subject)) {
      throw new RowProblem(`the feed has no subject "${subject.slice(0, 40)}"`, oneOf(series))
    }
    const knownAt = givenKnownAt ?? eventAt + delayMs
    if (knownAt < eventAt) {
      const problem = `known_at (${formatInstant(knownAt)}) is before the event (${formatInstant(eventAt)})`
      throw new RowProblem(problem, 'A value cannot be known before it happens; swap the columns or correct the row.')
    }
    if (isWhole && lacksValue(values, required)) return undefined
    try {
      return { source, subject, kind, granularity, eventAt, knownAt, values: parseValues(series, values) }
    } catch (error) {
      if (!isWhole && required.some((name) => (values[name] ?? null) === null)) return undefined
      throw error
    }
  }
}

function lacksValue(values: JsonObject, required: readonly string[]): boolean {
  for (const name of required) if (values[name] === null) return true
  return false
}

/** @param value the unparsed value of the file, which may be any JSON value */
export function readTime(column: string, value: unknown, notes: FileNotes): Instant {
  const reading = readInstant(value)
  if (reading.at === undefined) {
    const found = value === undefined || value === null || value === '' ? 'nothing' : `"${String(value).slice(0, 40)}"`
    throw new RowProblem(`column "${column}" holds ${found}, which is not a time (${reading.cause})`, reading.fix)
  }
  if (reading.assumesUtc) notes.assumedUtc ??= String(value)
  return reading.at
}

/**
 * Finds the column that contains the time.
 * @param place place of the column names
 * @param more time columns of this format in addition to the usual ones
 */
export function checkColumns(
  columns: readonly string[],
  file: RecordingFile,
  place: string,
  more: readonly string[] = [],
): string {
  const shown = cut(columns.join(','))
  const bad = columns.find((name, index) => name === '' || name === '__proto__' || columns.indexOf(name) !== index)
  if (bad === '') {
    const fix =
      "Name it, or leave it out: pandas writes its index there, unless to_csv has index=False or index_label='time'."
    throw recordingError(place, `a column has no name in "${shown}"`, fix)
  }
  if (bad !== undefined) {
    throw recordingError(place, `column name "${bad}" is reserved or duplicated in "${shown}"`, 'Rename it.')
  }
  const blank = columns.find((name) => name.trim() !== name)
  if (blank !== undefined) {
    throw recordingError(place, `column name "${blank}" has blanks around it`, 'Remove the blanks.')
  }
  const timeColumn = findTimeColumn(columns, more)
  if (timeColumn === undefined) throw noTimeColumn(columns, place, more)
  if (file.subject !== undefined && columns.includes(subjectColumn)) {
    throw recordingError(file.path, 'has a "subject" column, and its subject is set as well', 'Remove the setting.')
  }
  return timeColumn
}

/** The column or key that contains the time; `undefined` if none has a known name. */
export function findTimeColumn(columns: readonly string[], more: readonly string[] = []): string | undefined {
  const own = more.find((name) => columns.includes(name))
  if (own !== undefined) return own
  const plain = columns.map(plainName)
  const known = timeNames.find((name) => plain.includes(name))
  return known === undefined ? undefined : columns[plain.indexOf(known)]
}

export function timeColumnFix(more: readonly string[] = []): string {
  return `Give the time column one of these names: ${[...more, ...timeColumns].join(', ')}.`
}

function noTimeColumn(columns: readonly string[], place: string, more: readonly string[]): Error {
  const shown = cut(columns.join(','))
  const separator = columns.some((name) => /[;\t|]/.test(name))
  return separator
    ? recordingError(
        place,
        `the separators in "${shown}" are mixed or unknown`,
        'Separate the columns by commas alone.',
      )
    : recordingError(place, `no column holds the time in "${shown}"`, timeColumnFix(more))
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/[ _-]/g, '')
}

function parseValues(series: RecordingSeries, values: JsonObject): JsonObject {
  if (series.parseValues === undefined) return values
  try {
    return series.parseValues(values)
  } catch (error) {
    const problem = `the feed's schema refuses the values (${refusalOf(error, values)})`
    throw new RowProblem(problem, 'Correct the row or the schema, or remove the row: gaps are fine.', { cause: error })
  }
}
