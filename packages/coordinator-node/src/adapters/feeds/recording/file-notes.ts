import { durationMs } from '../../../domain/time.ts'
import type { Log } from '../../../ports/log.ts'
import type { RecordPage } from './record-page.ts'
import type { RecordingSeries } from './recording-options.ts'

/** What is noticed while a file is read, and its reader should know. */
export interface FileNotes {
  /** The first time of day without a zone. */
  assumedUtc: string | undefined
  /** Whether the file says when its rows were known. */
  hasKnownAt: boolean
}

/** Kinds of which the engine knows when their values are known. */
const kindsOfTheEngine: readonly string[] = ['candle', 'tick', 'trade', 'quote', 'depth']

/** Where notes are said, and what was said already: each thing once, however many files there are and however often they are read. */
export interface NoteTelling {
  readonly log: Log
  readonly told: Set<string>
}

export function tellAssumedUtc(path: string, { assumedUtc }: FileNotes, telling: NoteTelling): void {
  if (assumedUtc === undefined) return
  const reason = `"${assumedUtc}" says none; append Z, or the zone if it is another`
  tell('times without a zone are read as UTC', path, reason, telling)
}

/**
 * Says that models may see the future: rows without `known_at` count as known at their own time, where a total is when its interval
 * begins. Whether the values are totals cannot be seen; that the rows lie on the grid of their granularity can.
 */
export function tellLookAhead(
  path: string,
  series: RecordingSeries,
  { hasKnownAt, firstPage }: { readonly hasKnownAt: boolean; readonly firstPage: RecordPage },
  telling: NoteTelling,
): void {
  const { kind, granularity, knownAfter } = series
  if (hasKnownAt || knownAfter !== undefined || kindsOfTheEngine.includes(kind)) return
  const granularityMs = durationMs(granularity)
  const isOnGrid = firstPage.records.length > 0 && firstPage.records.every((it) => it.eventAt % granularityMs === 0)
  if (!isOnGrid) return
  const condition = `if it is a total or mean of the ${granularity} that begins then`
  const reason = `each row counts as known at its own time; ${condition}, add a column known_at with the end of these ${granularity}`
  tell('look-ahead is possible: the recording does not say when its values were known', path, reason, telling)
}

function tell(message: string, file: string, reason: string, { log, told }: NoteTelling): void {
  if (told.has(message)) return
  told.add(message)
  log.warn(message, { stage: 'feed', file, reason })
}

export function newFileNotes(): FileNotes {
  return { assumedUtc: undefined, hasKnownAt: false }
}
