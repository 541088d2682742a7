import { z } from 'zod'
import { CrunchError } from '../../../domain/errors.ts'
import { type FeedState, feedScopeKey } from '../../../domain/feed-record.ts'
import { isFresh } from '../../../domain/feed-trust.ts'
import type { Model } from '../../../domain/models/model.ts'
import { isRefusal } from '../../../domain/models/model-history.ts'
import { formatInstant, type Instant, parseDuration } from '../../../domain/time.ts'
import { type LeaseState, predictLease } from '../../../ports/store-workers.ts'
import { defineRoute } from '../../http/define-route.ts'
import { jsonResponse } from '../../http/json-response.ts'
import { errorTexts } from '../../http/problem.ts'
import { serveRoute } from '../../http/serve-route.ts'
import type { ReportContext, Standstill } from '../../report-context.ts'
import { zonedTime } from '../../rows/row-fields.ts'
import { zonedTime as zonedTimeSchema } from '../../schemas/fields.ts'
import { leaseReason, leaseRow } from './lease-health.ts'

/** Half of the 2 s in which health must answer: on a busy machine, timers and sending the answer have taken half a second. */
const readLimitMs = 1_000

interface Health {
  readonly body: Readonly<Record<string, unknown>>
  readonly status: 200 | 503
}

const healthBody = z.object({
  status: z.enum(['ok', 'degraded']),
  version: z.string(),
  reasons: z.array(z.string()),
  predict_lease: z
    .object({
      holder: z.string().nullable(),
      taken_at: z.string(),
      heartbeat_at: z.string(),
      silent_ms: z.number(),
    })
    .optional()
    .meta({ description: 'Who may open rounds; absent before the first predict worker.' }),
  standing_still: z.array(
    z.object({
      stage: z.string(),
      what: z.string(),
      since: zonedTimeSchema,
      held_up_by: z.string(),
      fix: z.string(),
    }),
  ),
  notes: z.array(z.string()).meta({ description: 'Notes that are not faults.' }),
})

export const health = defineRoute({
  method: 'get',
  path: '/healthz',
  tag: 'Node',
  summary: '`ok`, or `degraded` with reasons.',
  description:
    '503 only when the database is unreachable, so that a stale feed does not restart the node. It answers within 2 s.',
  tier: 'public',
  extra: 'any',
  answer: healthBody.meta({ id: 'Health' }),
  otherAnswers: {
    503: healthBody
      .partial({ standing_still: true, notes: true })
      .extend({ detail: z.string(), message: z.string() })
      .meta({ id: 'UnreachableDatabase' }),
  },
  example: { path: '/healthz' },
})

/** Concurrent requests get the same answer. */
export const serveHealth = serveRoute(health, (report) => {
  let running: Promise<Health> | undefined
  return async ({ context }) => {
    running ??= judge(report).finally(() => {
      running = undefined
    })
    const { body, status } = await running
    return jsonResponse(context, body, status)
  }
})

async function judge(report: ReportContext): Promise<Health> {
  const { version } = report.info
  try {
    const { alarms, notes } = report.progress?.() ?? { alarms: [], notes: [] }
    const found = await probe(report)
    const reasons = [...found.reasons, ...alarms.map(describeStandstill)]
    const status = reasons.length === 0 ? 'ok' : 'degraded'
    const lease = found.lease === null ? {} : { predict_lease: leaseRow(found.lease) }
    return {
      body: { status, version, reasons, ...lease, standing_still: alarms.map(standstillRow), notes },
      status: 200,
    }
  } catch (error) {
    if (!(error instanceof CrunchError) || !isStoreFault(error)) throw error
    const problem = error.code === 'STORE_CORRUPT' ? 'damaged' : 'unreachable'
    report.log.warn(`database ${problem}`, { stage: 'report', error: error.message })
    const cause = error.publicReason === undefined ? '' : `: ${error.publicReason}`
    const reason = `the database is ${problem}${cause}`
    return { body: { status: 'degraded', version, reasons: [reason], ...errorTexts(reason) }, status: 503 }
  }
}

const isStoreFault = ({ code }: CrunchError) => code === 'STORE_UNAVAILABLE' || code === 'STORE_CORRUPT'

function probe(report: ReportContext): Promise<Findings> {
  if (report.probe === undefined) return look(report)
  return report.probe(readLimitMs, (reads) => look({ ...report, reads }))
}

interface Findings {
  readonly reasons: readonly string[]
  readonly lease: LeaseState | null
}

async function look(report: ReportContext): Promise<Findings> {
  // Concurrently, because with a slow network to the database each query takes its time.
  const [lease, feeds, models] = await Promise.all([
    report.reads.leaseState(predictLease),
    feedReasons(report),
    report.reads.models(),
  ])
  const reason = leaseReason(lease)
  return { reasons: [...(reason === null ? [] : [reason]), ...feeds, ...refusedModels(models)], lease }
}

async function feedReasons({ reads, clock, contract }: ReportContext): Promise<string[]> {
  const now = await clock.refresh()
  const feeds = (await reads.feedStates()).filter(({ scope }) => contract.feeds.includes(feedScopeKey(scope)))
  return feeds.map((feed) => feedReason(feed, now)).filter((reason) => reason !== null)
}

function describeStandstill({ what, since, heldUpBy, fix }: Standstill): string {
  return `${what}, since ${formatInstant(since)}; cause: ${heldUpBy}; fix: ${fix}`
}

function standstillRow({ stage, what, since, heldUpBy, fix }: Standstill) {
  return { stage, what, since: zonedTime(since), held_up_by: heldUpBy, fix }
}

/** The operator must decide who owns an id; until then one of two participants has no rows. */
function refusedModels(models: readonly Model[]): string[] {
  return models.flatMap(({ id, retirements }) => {
    const newest = retirements.at(-1)
    return newest?.until === null && isRefusal(newest.reason) ? [`model ${id} is refused: ${newest.reason}`] : []
  })
}

function feedReason(feed: FeedState, now: Instant): string | null {
  const key = feedScopeKey(feed.scope)
  if (feed.status !== 'up') {
    const cause = feed.statusReason === null ? '' : `: ${feed.statusReason}`
    return `feed ${key} is ${feed.status} since ${formatInstant(feed.statusSince)}${cause}`
  }
  if (feed.watermarkAt === null) return null
  // A dead worker cannot report that its feed is stale, and a live one checks only periodically.
  const granularityMs = parseDuration(feed.scope.granularity) ?? 0
  if (isFresh(feed.watermarkAt, granularityMs, now)) return null
  if (feed.watermarkAt > now) {
    const known = formatInstant(feed.watermarkAt)
    return `feed ${key}: its newest record, known at ${known}, is from the future: a clock is wrong; set it (NTP)`
  }
  return `feed ${key} has had no new record since ${formatInstant(feed.watermarkAt)}`
}
