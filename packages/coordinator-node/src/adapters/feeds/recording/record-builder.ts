import type { JsonObject } from '../../../domain/json.ts'
import { durationMs, formatInstant, type Instant } from '../../../domain/time.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import { oneOf } from './find-subject.ts'
import { parseTime } from './parse-time.ts'
import { RowProblem, refusalOf } from './recording-error.ts'
import type { RecordingSeries } from './recording-options.ts'

/** Columns that may hold a row's time; the first of them that is there does, the others are values. */
export const timeColumns = ['event_at', 'ts_ms', 'time', 'date'] as const
export const knownAtColumn = 'known_at'
export const subjectColumn = 'subject'

/** Makes the record of one row; throws a {@link RowProblem}. */
export type BuildRecord = (
  subject: string,
  eventAt: Instant,
  knownAt: Instant | undefined,
  values: JsonObject,
) => SourceRecord

export function createRecordBuilder(series: RecordingSeries): BuildRecord {
  const { source, kind, granularity } = series
  const isDelayed = (series.knownAfter ?? (kind === 'candle' ? 'granularity' : 'event')) === 'granularity'
  const delayMs = isDelayed ? durationMs(granularity) : 0
  const subjects = new Set(series.subjects)
  return (subject, eventAt, givenKnownAt, values) => {
    if (!subjects.has(subject)) {
      throw new RowProblem(`the feed has no subject "${subject.slice(0, 40)}"`, oneOf(series))
    }
    const knownAt = givenKnownAt ?? eventAt + delayMs
    if (knownAt < eventAt) {
      const problem = `known_at (${formatInstant(knownAt)}) is before the event (${formatInstant(eventAt)})`
      throw new RowProblem(
        problem,
        'A value cannot be known before it happens; exchange the columns or correct the row.',
      )
    }
    return { source, subject, kind, granularity, eventAt, knownAt, values: parseValues(series, values) }
  }
}

/** @param text as the file has it, any JSON value included */
export function readTime(column: string, text: unknown): Instant {
  const at = typeof text === 'string' || typeof text === 'number' ? parseTime(String(text)) : undefined
  if (at !== undefined) return at
  throw new RowProblem(
    `column "${column}" holds ${text === undefined || text === '' ? 'nothing' : `"${String(text).slice(0, 40)}"`}, which is no time`,
    'Write ISO 8601 (2026-03-01 or 2026-03-01T10:00:00Z) or epoch milliseconds.',
  )
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
