import type { Hono } from 'hono'
import { CrunchError } from '../domain/errors.ts'
import { type FeedState, feedScopeKey } from '../domain/feed-record.ts'
import { isSilent } from '../domain/feed-trust.ts'
import { formatInstant, type Instant, parseDuration } from '../domain/time.ts'
import { errorBody } from './error-response.ts'
import { jsonResponse } from './json-response.ts'
import type { ReportContext } from './report-context.ts'

/** Whoever asks for health gives up after some seconds; this leaves time for the answer's way. */
const readLimitMs = 1_500

interface Health {
  readonly body: Readonly<Record<string, unknown>>
  readonly status: 200 | 503
}

/**
 * `ok`, or `degraded` with reasons; 503 only when the database is unreachable, so that a stale feed restarts nobody. It answers
 * within 2 s whatever the database does. Requests that come while one is being answered get the same answer.
 */
export function addHealthRoute(app: Hono, report: ReportContext): void {
  let running: Promise<Health> | undefined
  app.get('/healthz', async (context) => {
    running ??= judge(report).finally(() => {
      running = undefined
    })
    const { body, status } = await running
    return jsonResponse(context, body, status)
  })
}

async function judge(report: ReportContext): Promise<Health> {
  const { version } = report.info
  try {
    const reasons = await probe(report)
    return { body: { status: reasons.length === 0 ? 'ok' : 'degraded', version, reasons }, status: 200 }
  } catch (error) {
    if (!(error instanceof CrunchError) || error.code !== 'STORE_UNAVAILABLE') throw error
    report.log.warn('database unreachable', { stage: 'report', error: error.message })
    const cause = error.publicReason === undefined ? '' : `: ${error.publicReason}`
    const reason = `the database is unreachable${cause}`
    return { body: { status: 'degraded', version, reasons: [reason], ...errorBody(reason) }, status: 503 }
  }
}

function probe(report: ReportContext): Promise<string[]> {
  if (report.probe === undefined) return healthReasons(report)
  return report.probe(readLimitMs, (reads) => healthReasons({ ...report, reads }))
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
