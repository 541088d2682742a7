import { backOffMs } from '@crunch/local-processes'
import { feedScopeKey } from '../../domain/feed-record.ts'
import { missingCount, type Stretch } from '../../domain/stretch.ts'
import type { Instant } from '../../domain/time.ts'
import { FeedInterrupted, isSourceError, type SourceRecord } from '../../ports/feed-source.ts'
import type { Log } from '../../ports/log.ts'
import { addHole, describeStretch, type FollowedSeries, type OpenHole, remainingHoles } from './followed-series.ts'
import type { Session } from './session.ts'
import { retryWaitMs } from './timing.ts'

/**
 * Fills a series from history, from where it stopped up to now. If that keeps failing, the series continues and is marked as
 * behind. A series without a grid always is, because its newest records may not be in history yet. For such a series,
 * history is read again before the next new record, or after a while if none arrives.
 */
export async function fillUp(session: Session, series: FollowedSeries): Promise<void> {
  const from = series.progress.next()
  if (session.source.history === undefined || from === null) return
  const isFilled = await patiently(session, series, () => {
    // Continue where an earlier attempt stopped.
    const stretch = { from: series.progress.next() ?? from, to: session.timing.now() }
    return takeHistory(session, series, stretch)
  })
  series.isBehind = !isFilled || series.stepMs === null
  const { timing, patience } = session
  if (series.stepMs !== null || session.ending.aborted) return
  addHole(series, { from: series.progress.next() ?? from, to: timing.now() }, timing.now() + patience.repairMs)
}

/** Delivers new records, each after the records missing before it. `false`: the session is over, and the rest will come again. */
export async function handOver(
  session: Session,
  series: FollowedSeries,
  records: readonly SourceRecord[],
): Promise<boolean> {
  const { progress } = series
  let news: SourceRecord[] = []
  for (const record of records) {
    const hole = holeBefore(series, record)
    if (hole !== null && !progress.isKnown(record)) {
      if (news.length > 0 && !(await session.emit(news))) return false
      news = []
      if (!(await fillHole(session, series, hole, record))) return false
    }
    // A repair may have delivered it while this call waited for earlier records.
    if (progress.isKnown(record)) continue
    progress.take(record)
    news.push(record)
  }
  return news.length === 0 || session.emit(news)
}

/** Reads the records missing before a record, and notes those still missing. `false`: the session ended before that was known. */
async function fillHole(
  session: Session,
  series: FollowedSeries,
  hole: Stretch,
  record: SourceRecord,
): Promise<boolean> {
  const hasHistory = session.source.history !== undefined
  const isFilled =
    hasHistory && session.historyAnswers && (await patiently(session, series, () => takeHistory(session, series, hole)))
  if (session.ending.aborted && hasHistory && !isFilled) return false
  const left = holeBefore(series, record)
  if (left !== null && (series.stepMs !== null || !isFilled)) noteHole(session, series, left)
  series.isBehind = false
  return true
}

function holeBefore({ progress, isBehind }: FollowedSeries, record: SourceRecord): Stretch | null {
  const next = progress.next()
  // Without a grid, gaps cannot be detected, but it is known that history was not read.
  if (isBehind && next !== null && record.eventAt > next) return { from: next, to: record.eventAt }
  return progress.holeBefore(record)
}

/** Delivers the records of a time range from history, in order. */
export async function takeHistory(session: Session, series: FollowedSeries, { from, to }: Stretch): Promise<void> {
  for await (const page of history(session, series, from, to)) {
    const news = page.filter((record) => !series.progress.isKnown(record))
    for (const record of news) {
      const hole = series.progress.holeBefore(record)
      if (hole !== null) noteHole(session, series, hole)
      series.progress.take(record)
    }
    if (news.length > 0) await session.emit(news)
  }
}

function history({ source, ending }: Session, { scope }: FollowedSeries, from: Instant, to: Instant) {
  return source.history?.(scope, from, to, ending) ?? []
}

function noteHole({ log, timing, patience, source }: Session, series: FollowedSeries, hole: Stretch): void {
  const canTry = source.history !== undefined
  log.warn('records are missing', {
    stage: 'feed',
    scope: feedScopeKey(series.scope),
    ...describeStretch(hole),
    ...(series.stepMs !== null && { missingCount: missingCount(hole, series.stepMs) }),
    history: canTry ? 'does not have them; retrying' : 'the source has none',
  })
  const dropped = canTry ? addHole(series, hole, timing.now() + patience.repairMs) : undefined
  if (dropped !== undefined) giveUp(log, series, dropped)
}

function giveUp(log: Log, { scope }: FollowedSeries, stretch: Stretch): void {
  log.warn('giving up on missing records', { stage: 'feed', scope: feedScopeKey(scope), ...describeStretch(stretch) })
}

/** Reads the history of an open gap again. */
export async function repairHole(session: Session, series: FollowedSeries, hole: OpenHole): Promise<void> {
  const found: SourceRecord[] = []
  try {
    for await (const page of history(session, series, hole.from, hole.to)) {
      // On a grid, gaps may be older than all remembered records; without one, the records have arrived since.
      const news = series.stepMs === null ? page.filter((record) => !series.progress.isKnown(record)) : page
      for (const record of news) series.progress.take(record)
      found.push(...news)
      if (news.length > 0) await session.emit(news)
    }
    if (session.ending.aborted) return
    session.historyAnswers = true
  } catch (error) {
    if (session.ending.aborted) return
    if (!isSourceError(error)) throw error
    postpone(session, hole, error instanceof FeedInterrupted ? error.retryAfterMs : null)
    return
  }
  const { log, timing, patience } = session
  const scope = feedScopeKey(series.scope)
  const left = remainingHoles(series, hole, found)
  series.holes = series.holes.filter((other) => other !== hole)
  if (found.length > 0) {
    log.info('missing records were filled', { stage: 'feed', scope, ...describeStretch(hole), count: found.length })
  }
  for (const stretch of left) {
    if (timing.now() - stretch.to > patience.giveUpMs) {
      giveUp(log, series, stretch)
    } else {
      const again: OpenHole = { ...stretch, triedCount: hole.triedCount, nextTryAt: 0 }
      postpone(session, again, null)
      series.holes.push(again)
    }
  }
}

function postpone({ timing, patience }: Session, hole: OpenHole, retryAfterMs: number | null): void {
  hole.triedCount += 1
  const waitMs = backOffMs(hole.triedCount + 1, { firstMs: patience.repairMs, longestMs: 1_024 * patience.repairMs })
  hole.nextTryAt = timing.now() + Math.max(waitMs, retryAfterMs ?? 0)
}

/** Reads history with retries. `false`: it did not answer. */
async function patiently(session: Session, series: FollowedSeries, ask: () => Promise<void>): Promise<boolean> {
  const { timing, patience, ending, log } = session
  const startedAt = timing.now()
  for (let failures = 1; !ending.aborted; failures += 1) {
    try {
      await ask()
      session.historyAnswers = true
      return !ending.aborted
    } catch (error) {
      if (ending.aborted) return false
      if (!isSourceError(error)) throw error
      const retryAfterMs = error instanceof FeedInterrupted ? error.retryAfterMs : null
      const waitMs = retryWaitMs(failures, retryAfterMs, patience, timing)
      const isLast = timing.now() + waitMs - startedAt > patience.historyMs
      log.warn(isLast ? 'history does not answer; continuing without it' : 'history does not answer; retrying', {
        stage: 'feed',
        scope: feedScopeKey(series.scope),
        reason: error.message,
      })
      if (isLast) {
        session.historyAnswers = false
        return false
      }
      await timing.wait(waitMs, ending)
    }
  }
  return false
}
