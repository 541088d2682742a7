import { CrunchError } from '../../domain/errors.ts'
import { feedScopeKey } from '../../domain/feed-record.ts'
import { freshnessMs } from '../../domain/feed-trust.ts'
import { durationMs } from '../../domain/time.ts'
import { FeedInterrupted } from '../../ports/feed-source.ts'
import { takeHistory } from './fill-series.ts'
import type { FollowedSeries } from './followed-series.ts'
import type { Session } from './session.ts'

const rarest = 6

/**
 * Checks the history of a series whose stream has been silent for long, at growing intervals. A connection may stay open and
 * answer pings but deliver nothing: if history has newer records, they are delivered and the connection is interrupted.
 * Otherwise there is simply no news, as on a closed market.
 */
export async function lookBehindSilence(session: Session, series: FollowedSeries): Promise<void> {
  const { timing, patience, log } = session
  const { scope, heardAt, quietLooks, progress } = series
  const from = progress.next()
  if (heardAt === null || from === null) return
  const shortestMs = Math.max(patience.repairMs, freshnessMs(durationMs(scope.granularity)))
  const now = timing.now()
  if (now - heardAt < shortestMs * 2 ** Math.min(quietLooks, rarest)) return
  series.quietLooks += 1
  try {
    await takeHistory(session, series, { from, to: now })
    session.historyAnswers = true
  } catch (error) {
    if (session.ending.aborted) return
    if (!(error instanceof CrunchError)) throw error
    log.debug('the history of a silent series could not be checked for newer records', {
      ...{ stage: 'feed', scope: feedScopeKey(scope), reason: error.message },
    })
    return
  }
  if (session.ending.aborted || progress.next() === from || series.heardAt !== heardAt) return
  const problem = 'has newer records in its history, but none of them arrived through the stream'
  throw new FeedInterrupted(`${feedScopeKey(scope)} ${problem}`)
}
