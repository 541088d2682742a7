import { z } from 'zod'
import { type FeedState, feedScopeKey } from '../../../domain/feed-record.ts'
import { durationMs } from '../../../domain/time.ts'
import { defineRoute } from '../../http/define-route.ts'
import { serveRoute } from '../../http/serve-route.ts'
import type { ReportContext, ReportContract } from '../../report-context.ts'
import { timeOrNull, zonedTime } from '../../rows/row-fields.ts'
import { feedRow as rowSchema } from './feed-schema.ts'

export const feeds = defineRoute({
  method: 'get',
  path: '/reports/feeds',
  tag: 'Feeds',
  summary: 'How far ingestion of each series has come, and whether it can be trusted.',
  tier: 'public',
  extra: 'charts',
  answer: z.array(rowSchema),
  example: { path: '/reports/feeds' },
})

export const serveFeeds = serveRoute(feeds, (report) => () => feedRows(report))

/** Every stored series, in order of scope key. */
export async function feedRows({ reads, contract }: ReportContext): Promise<z.input<typeof rowSchema>[]> {
  const states = await reads.feedStates()
  return states.map(withoutFollower(contract)).map((state) => ({
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
