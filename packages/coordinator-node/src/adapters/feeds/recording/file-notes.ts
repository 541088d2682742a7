import { durationMs } from '../../../domain/time.ts'
import type { Log } from '../../../ports/log.ts'
import type { RecordPage } from './record-page.ts'
import type { RecordingSeries } from './recording-options.ts'

/** Observations about a file that lead to a warning. */
export interface FileNotes {
  /** The first time of day without a zone. */
  assumedUtc: string | undefined
  /** Whether the file has times at which its rows became known. */
  hasKnownAt: boolean
}

/** Kinds for which the engine knows when values become known. */
const kindsOfTheEngine: readonly string[] = ['candle', 'tick', 'trade', 'quote', 'depth']

/** The log, and the warnings already logged: each is logged once, regardless of the number of files and readings. */
export interface NoteLog {
  readonly log: Log
  readonly logged: Set<string>
}

export function logAssumedUtc(path: string, { assumedUtc }: FileNotes, noteLog: NoteLog): void {
  if (assumedUtc === undefined) return
  const reason = `"${assumedUtc}" has no zone; append Z, or another zone`
  logOnce('times without a zone are read as UTC', path, reason, noteLog)
}

/**
 * Warns that models may see the future: rows without `known_at` count as known at their own time, which for a total is the
 * beginning of its interval. Whether values are totals is unknown, so the test is whether rows lie on the granularity's grid.
 */
export function logLookAhead(
  path: string,
  series: RecordingSeries,
  { hasKnownAt, firstPage }: { readonly hasKnownAt: boolean; readonly firstPage: RecordPage },
  noteLog: NoteLog,
): void {
  const { kind, granularity, knownAfter } = series
  if (hasKnownAt || knownAfter !== undefined || kindsOfTheEngine.includes(kind)) return
  const granularityMs = durationMs(granularity)
  const isOnGrid = firstPage.records.length > 0 && firstPage.records.every((it) => it.eventAt % granularityMs === 0)
  if (!isOnGrid) return
  const condition = `if it is a total or mean of the ${granularity} that begins then`
  const reason = `each row counts as known at its own time; ${condition}, add a column known_at with the end of these ${granularity}`
  logOnce('look-ahead is possible: the recording does not say when its values were known', path, reason, noteLog)
}

function logOnce(message: string, file: string, reason: string, { log, logged }: NoteLog): void {
  if (logged.has(message)) return
  logged.add(message)
  log.warn(message, { stage: 'feed', file, reason })
}

export function newFileNotes(): FileNotes {
  return { assumedUtc: undefined, hasKnownAt: false }
}
