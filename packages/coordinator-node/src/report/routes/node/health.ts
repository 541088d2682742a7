import { z } from 'zod'
import { feedScopeKey } from '../../../domain/feed-record.ts'
import { type LeaseState, predictLease } from '../../../ports/store-workers.ts'
import { defineRoute } from '../../http/define-route.ts'
import { jsonResponse } from '../../http/json-response.ts'
import { errorTexts } from '../../http/problem.ts'
import { serveRoute } from '../../http/serve-route.ts'
import {
  databaseReason,
  describeStandstill,
  feedReason,
  readInTime,
  refusedModels,
} from '../../operations/state-reasons.ts'
import type { ReportContext, Standstill } from '../../report-context.ts'
import { zonedTime } from '../../rows/row-fields.ts'
import { zonedTime as zonedTimeSchema } from '../../schemas/fields.ts'
import { leaseReason, leaseRow } from './lease-health.ts'

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
    const found = await readInTime(report, (reads) => look({ ...report, reads }))
    const reasons = [...found.reasons, ...alarms.map(describeStandstill)]
    const status = reasons.length === 0 ? 'ok' : 'degraded'
    const lease = found.lease === null ? {} : { predict_lease: leaseRow(found.lease) }
    return {
      body: { status, version, reasons, ...lease, standing_still: alarms.map(standstillRow), notes },
      status: 200,
    }
  } catch (error) {
    const reason = databaseReason(error, report)
    return { body: { status: 'degraded', version, reasons: [reason], ...errorTexts(reason) }, status: 503 }
  }
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

function standstillRow({ stage, what, since, heldUpBy, fix }: Standstill) {
  return { stage, what, since: zonedTime(since), held_up_by: heldUpBy, fix }
}
