import type { Hono } from 'hono'
import { type FeedState, feedScopeKey } from '../domain/feed-record.ts'
import { durationMs } from '../domain/time.ts'
import { jsonResponse } from './json-response.ts'
import { refuseUnknown } from './query-fields.ts'
import type { ReportContext, ReportContract } from './report-context.ts'
import { timeOrNull, zonedTime } from './row-fields.ts'

/** How far ingestion of each series has come, and whether it can be trusted. */
export function addFeedsRoute(app: Hono, { reads, contract }: ReportContext): void {
  app.get('/reports/feeds', async (context) => {
    refuseUnknown(context, [])
    const states = await reads.feedStates()
    const rows = states.map(withoutFollower(contract)).map((state) => ({
      source: state.scope.source,
      subject: state.scope.subject,
      kind: state.scope.kind,
      granularity: state.scope.granularity,
      record_count: state.recordCount,
      missing_count: missingRecords(state),
      oldest_ts: timeOrNull(state.oldestEventAt),
      newest_ts: timeOrNull(state.newestEventAt),
      watermark_ts: timeOrNull(state.watermarkAt),
      watermark_updated_at: state.watermarkAt === null ? null : zonedTime(state.updatedAt),
      revision_count: state.revisionCount,
      status: state.status,
      status_reason: state.statusReason,
      status_since: zonedTime(state.statusSince),
    }))
    return jsonResponse(context, rows)
  })
}

/** Number of missing candles between the first and the newest; `null` without a grid. */
function missingRecords({ scope, recordCount, oldestEventAt, newestEventAt }: FeedState): number | null {
  if (scope.kind !== 'candle' || oldestEventAt === null || newestEventAt === null) return null
  const stepMs = durationMs(scope.granularity)
  return Math.max(0, Math.floor((newestEventAt - oldestEventAt) / stepMs) + 1 - recordCount)
}

/** A series that is no longer followed is down for that reason, regardless of its last status. */
function withoutFollower({ feeds }: ReportContract): (state: FeedState) => FeedState {
  return (state) =>
    feeds.includes(feedScopeKey(state.scope))
      ? state
      : { ...state, status: 'down', statusReason: 'the contract has no such feed' }
}
