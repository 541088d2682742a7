import type { Hono } from 'hono'
import { CrunchError } from '../domain/errors.ts'
import { type FeedState, feedScopeKey } from '../domain/feed-record.ts'
import { isSilent } from '../domain/feed-trust.ts'
import { formatInstant, type Instant, parseDuration } from '../domain/time.ts'
import { errorBody } from './error-response.ts'
import { jsonResponse } from './json-response.ts'
import type { ReportContext } from './report-context.ts'

/** `ok`, or `degraded` with reasons; 503 only when the database is unreachable, so that a stale feed restarts nobody. */
export function addHealthRoute(app: Hono, report: ReportContext): void {
  const { version } = report.info
  app.get('/healthz', async (context) => {
    try {
      const reasons = await healthReasons(report)
      return jsonResponse(context, { status: reasons.length === 0 ? 'ok' : 'degraded', version, reasons })
    } catch (error) {
      if (!(error instanceof CrunchError) || error.code !== 'STORE_UNAVAILABLE') throw error
      report.log.warn('database unreachable', { stage: 'report', error: error.message })
      const reason = 'the database is unreachable'
      return jsonResponse(context, { status: 'degraded', version, reasons: [reason], ...errorBody(reason) }, 503)
    }
  })
}

async function healthReasons({ reads, clock, contract, health }: ReportContext): Promise<string[]> {
  const now = await clock.refresh()
  const feeds = (await reads.feedStates()).filter(({ scope }) => contract.feeds.includes(feedScopeKey(scope)))
  const reasons = feeds.map((feed) => feedReason(feed, now)).filter((reason) => reason !== null)
  if (health === undefined) return reasons
  const workers = await health()
  if (workers.newestHeartbeatAt === null) reasons.push('no worker has reported that it works')
  return [...reasons, ...workers.reasons]
}

function feedReason(feed: FeedState, now: Instant): string | null {
  const key = feedScopeKey(feed.scope)
  if (feed.status !== 'up') {
    const cause = feed.statusReason === null ? '' : `: ${feed.statusReason}`
    return `feed ${key} is ${feed.status} since ${formatInstant(feed.statusSince)}${cause}`
  }
  if (feed.watermarkAt === null) return null
  // A worker that died cannot say that its feed is stale, and one that lives looks only now and then.
  const granularityMs = parseDuration(feed.scope.granularity) ?? 0
  if (!isSilent(feed.watermarkAt, granularityMs, now)) return null
  return `feed ${key} has brought nothing since ${formatInstant(feed.watermarkAt)}`
}
