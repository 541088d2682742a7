import type { JsonObject } from '../../../domain/json/json.ts'
import { durationMs, formatInstant, type Instant } from '../../../domain/time.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import { oneOf } from './find-subject.ts'
import { parseTime } from './parse-time.ts'
import { cut, RowProblem, recordingError, refusalOf } from './recording-error.ts'
import type { RecordingFile, RecordingSeries } from './recording-options.ts'

/** Columns that may hold a row's time; the first of them that is there does, the others are values. */
export const timeColumns = ['event_at', 'ts_ms', 'time', 'date'] as const
export const knownAtColumn = 'known_at'
export const subjectColumn = 'subject'
/** When the node received the row; a replay receives it again. */
export const receivedAtColumn = 'received_at'

/** Makes the record of one row; throws a {@link RowProblem}. */
export type BuildRecord = (
  subject: string,
  eventAt: Instant,
  knownAt: Instant | undefined,
  values: JsonObject,
) => SourceRecord

/** How long after its event a record without a time of its own is known. */
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
  return (subject, eventAt, givenKnownAt, values) => {
    if (!subjects.has(subject)) {
      throw new RowProblem(`the feed has no subject "${subject.slice(0, 40)}"`, oneOf(series))
    }
    const knownAt = givenKnownAt ?? eventAt + delayMs
    if (knownAt < eventAt) {
      const problem = `known_at (${formatInstant(knownAt)}) is before the event (${formatInstant(eventAt)})`
      throw new RowProblem(problem, 'A value cannot be known before it happens; swap the columns or correct the row.')
    }
    return { source, subject, kind, granularity, eventAt, knownAt, values: parseValues(series, values) }
  }
}

/** @param text as the file has it, any JSON value included */
export function readTime(column: string, text: unknown): Instant {
  const at = typeof text === 'string' || typeof text === 'number' ? parseTime(String(text)) : undefined
  if (at !== undefined) return at
  throw new RowProblem(
    `column "${column}" holds ${text === undefined || text === '' ? 'nothing' : `"${String(text).slice(0, 40)}"`}, which is not a time`,
    'Write ISO 8601 (2026-03-01 or 2026-03-01T10:00:00Z) or epoch milliseconds.',
  )
}

/**
 * Answers the column that holds the time.
 * @param place of the columns' names
 * @param more time columns that the format knows beside the usual ones
 */
export function checkColumns(
  columns: readonly string[],
  file: RecordingFile,
  place: string,
  more: readonly string[] = [],
): string {
  const shown = cut(columns.join(','))
  const bad = columns.find((name, index) => name === '' || name === '__proto__' || columns.indexOf(name) !== index)
  if (bad !== undefined) {
    throw recordingError(place, `column name "${bad}" is empty, reserved or duplicated in "${shown}"`, 'Rename it.')
  }
  const known = [...more, ...timeColumns]
  const timeColumn = known.find((name) => columns.includes(name))
  if (timeColumn === undefined) {
    const fix = `The columns need names, one of them ${known.join(', ')}.`
    throw recordingError(place, `no column holds the time in "${shown}"`, fix)
  }
  if (file.subject !== undefined && columns.includes(subjectColumn)) {
    throw recordingError(file.path, 'has a "subject" column, and its subject is set as well', 'Remove the setting.')
  }
  return timeColumn
}

function parseValues(series: RecordingSeries, values: JsonObject): JsonObject {
  if (series.parseValues === undefined) return values
  try {
    return series.parseValues(values)
  } catch (error) {
    const problem = `the feed's schema refuses the values (${refusalOf(error)})`
    throw new RowProblem(problem, 'Correct the row or the schema, or remove the row: gaps are fine.', { cause: error })
  }
}
