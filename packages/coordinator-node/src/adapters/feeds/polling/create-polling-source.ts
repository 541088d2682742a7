import { wait } from '@crunch/local-processes'
import { type FeedScope, feedScopeKey } from '../../../domain/feed-record.ts'
import { durationMs, type Instant } from '../../../domain/time.ts'
import type { FeedOffer, FeedSource, FeedSourceWithHistory, SourceRecord } from '../../../ports/feed-source.ts'

export interface PollingOptions {
  readonly describe: (signal: AbortSignal) => Promise<readonly FeedOffer[]>
  /**
   * One request for the records with `from <= eventAt < to`. The answer may be in any order and may contain other records or
   * ones that are not known yet. Of several for the same time, the last one counts.
   */
  readonly ask: (scope: FeedScope, from: Instant, to: Instant, signal: AbortSignal) => Promise<readonly SourceRecord[]>
  /** Pause between two rounds of requests. */
  readonly everyMs: number
  /** Range of one request, in granularities; infinite if requests carry no range. */
  readonly pageCells: number
  readonly now: () => Instant
}

/** Number of newest records that a stream starts with if nothing is stored yet: enough to fill a small window. */
const firstRecords = 20

/**
 * A source that polls each series in turn. Its stream begins after the watermarks, but reaches back at most one request,
 * and delivers each time once. Only `history` sees what a provider changes or adds before its newest record.
 */
export function createPollingSource(options: PollingOptions): FeedSourceWithHistory {
  const { describe, pageCells, now } = options
  return {
    describe,
    stream: (scopes, from, signal, onOpen) => poll(options, scopes, from, signal, onOpen),
    async *history(scope, from, to, signal) {
      const pageMs = durationMs(scope.granularity) * pageCells
      for (let start = from; start < to && !signal.aborted; start += pageMs) {
        const records = await finalRecords(options, scope, start, Math.min(start + pageMs, to), now(), signal)
        if (records.length > 0) yield records
      }
    },
  }
}

async function* poll(
  options: PollingOptions,
  scopes: readonly FeedScope[],
  from: ReadonlyMap<string, Instant>,
  signal: AbortSignal,
  onOpen?: () => void,
): ReturnType<FeedSource['stream']> {
  const newest = new Map<string, SourceRecord>()
  for (let round = 0; !signal.aborted; round++) {
    const found: (readonly SourceRecord[])[] = []
    for (const scope of scopes) {
      const records = await newRecords(options, scope, newest.get(feedScopeKey(scope)), from, signal)
      const last = records.at(-1)
      if (last === undefined) continue
      newest.set(feedScopeKey(scope), last)
      found.push(records)
    }
    if (signal.aborted) return
    if (round === 0) onOpen?.()
    for (const records of found) {
      if (signal.aborted) return
      yield records
    }
    await wait(options.everyMs, signal)
  }
}

async function newRecords(
  options: PollingOptions,
  scope: FeedScope,
  newest: SourceRecord | undefined,
  from: ReadonlyMap<string, Instant>,
  signal: AbortSignal,
): Promise<readonly SourceRecord[]> {
  const at = options.now()
  const earliest = at - durationMs(scope.granularity) * options.pageCells
  const start = newest === undefined ? earliest : Math.max(newest.eventAt + 1, earliest)
  const records = await finalRecords(options, scope, start, at + 1, at, signal)
  if (newest !== undefined) return records
  const watermark = from.get(feedScopeKey(scope))
  return watermark === undefined ? records.slice(-firstRecords) : records.filter(({ knownAt }) => knownAt > watermark)
}

/** The records of a range that are known at an instant, oldest first, one per time. Empty once aborted. */
async function finalRecords(
  { ask }: PollingOptions,
  scope: FeedScope,
  from: Instant,
  to: Instant,
  at: Instant,
  signal: AbortSignal,
): Promise<readonly SourceRecord[]> {
  if (signal.aborted) return []
  try {
    const records = await ask(scope, from, to, signal)
    const byTime = new Map(records.map((record) => [record.eventAt, record]))
    return [...byTime.values()]
      .filter(({ eventAt, knownAt }) => eventAt >= from && eventAt < to && knownAt <= at)
      .sort((one, other) => one.eventAt - other.eventAt)
  } catch (error) {
    if (signal.aborted) return []
    throw error
  }
}
