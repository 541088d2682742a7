import { z } from 'zod'
import type { Checkpoint } from '../../domain/checkpoint.ts'
import { type FeedState, feedScopeKey } from '../../domain/feed-record.ts'
import { type Model, takesPart } from '../../domain/models/model.ts'
import { formatInstant, type Instant } from '../../domain/time.ts'
import type { Payouts } from '../../ports/payout/payouts.ts'
import { predictLease } from '../../ports/store-workers.ts'
import { defineRoute } from '../http/define-route.ts'
import { jsonResponse } from '../http/json-response.ts'
import { errorTexts } from '../http/problem.ts'
import { serveRoute } from '../http/serve-route.ts'
import type { ReportContext } from '../report-context.ts'
import { leaseReason } from '../routes/node/lease-health.ts'
import { databaseReason, describeStandstill, feedReason, readInTime, refusedModels } from './state-reasons.ts'

const check = z
  .object({ state: z.enum(['ok', 'degraded', 'failing', 'unknown']), reasons: z.array(z.string()) })
  .meta({ id: 'ReadinessCheck' })

type Check = z.infer<typeof check>

const readyBody = z.object({
  status: z.enum(['ready', 'not ready']),
  checks: z.object({
    database: check.meta({ description: 'Whether it answers in time.' }),
    feeds: check.meta({
      description: 'Failing when no feed of the contract can be trusted, degraded when some cannot.',
    }),
    models: check.meta({ description: 'Failing when no model takes part, degraded when one was refused.' }),
    payouts: check.meta({
      description:
        'Degraded when a payout waits and the registry of crunchers cannot be read, so that it cannot be exported or confirmed.',
    }),
    lag: check.meta({ description: 'Failing when a stage of the pipeline is overdue or no worker can open rounds.' }),
  }),
})

const readiness = defineRoute({
  method: 'get',
  path: '/readyz',
  tag: 'Node',
  summary: 'Whether the competition runs: the database, feeds, models, payouts and the lag, each with its reasons.',
  description:
    '503 when one of them is failing; `unknown` is what cannot be read without the database. It answers within 2 s. A restart ' +
    'rarely helps: tell services that restart nodes to ask `/healthz`.',
  tier: 'public',
  extra: 'any',
  answer: readyBody.meta({ id: 'Readiness' }),
  otherAnswers: { 503: readyBody.extend({ detail: z.string(), message: z.string() }).meta({ id: 'Unreadiness' }) },
  example: { path: '/readyz' },
})

/** Concurrent requests get the same answer. */
export const serveReadiness = serveRoute(readiness, (report) => {
  let running: Promise<Checks> | undefined
  return async ({ context }) => {
    running ??= lookAtNode(report).finally(() => {
      running = undefined
    })
    const checks = await running
    const failing = Object.values(checks).filter(({ state }) => state === 'failing')
    if (failing.length === 0) return jsonResponse(context, { status: 'ready', checks }, 200)
    const text = failing.flatMap(({ reasons }) => reasons).join('; ')
    return jsonResponse(context, { status: 'not ready', checks, ...errorTexts(text) }, 503)
  }
})

type Checks = z.infer<typeof readyBody>['checks']

async function lookAtNode(report: ReportContext): Promise<Checks> {
  const alarms = (report.progress?.().alarms ?? []).map(describeStandstill)
  try {
    return await readInTime(report, async (reads) => {
      const [now, lease, feeds, models, pending] = await Promise.all([
        report.clock.refresh(),
        reads.leaseState(predictLease),
        reads.feedStates(),
        reads.models(),
        reads.checkpoints({ status: 'PENDING', limit: maxPending }),
      ])
      const noRounds = leaseReason(lease)
      return {
        database: fine,
        feeds: checkFeeds(report.contract.feeds, feeds, now),
        models: checkModels(models, now),
        payouts: checkPayouts(report.payouts, pending, models),
        lag: failingIfAny([...(noRounds === null ? [] : [noRounds]), ...alarms]),
      }
    })
  } catch (error) {
    const unknown: Check = { state: 'unknown', reasons: ['it cannot be read without the database'] }
    return {
      database: failingIfAny([databaseReason(error, report)]),
      ...{ feeds: unknown, models: unknown, payouts: unknown },
      // The last look at the pipeline is known without the database.
      lag: alarms.length === 0 ? unknown : failingIfAny(alarms),
    }
  }
}

const maxPending = 20

/** Only where something is to be paid: a node without payouts needs no registry. */
function checkPayouts(payouts: Payouts | undefined, pending: readonly Checkpoint[], models: readonly Model[]): Check {
  const waiting = pending.filter(({ entries }) => entries.some(({ rewardFrac64 }) => rewardFrac64 > 0))
  const problem = waiting.length === 0 ? null : (payouts?.registryProblem(models) ?? null)
  if (problem === null) return fine
  const ids = waiting.map(({ id }) => id).join(', ')
  return {
    state: 'degraded',
    reasons: [`${problem.reason}, since ${formatInstant(problem.since)}: waiting payouts: ${ids}`],
  }
}

const fine: Check = { state: 'ok', reasons: [] }

function failingIfAny(reasons: string[]): Check {
  return reasons.length === 0 ? fine : { state: 'failing', reasons }
}

function checkFeeds(wanted: readonly string[], states: readonly FeedState[], now: Instant): Check {
  const byKey = new Map(states.map((state) => [feedScopeKey(state.scope), state]))
  const reasons = wanted.flatMap((key) => {
    const state = byKey.get(key)
    if (state === undefined || state.watermarkAt === null) return [`feed ${key} has no record yet`]
    const reason = feedReason(state, now)
    return reason === null ? [] : [reason]
  })
  if (reasons.length === 0) return fine
  return { state: reasons.length === wanted.length ? 'failing' : 'degraded', reasons }
}

/** A single participant cannot make the node unready. */
function checkModels(models: readonly Model[], now: Instant): Check {
  const reasons = refusedModels(models)
  if (!models.some((model) => takesPart(model, now)))
    return failingIfAny(['no model takes part: rounds open once one has joined', ...reasons])
  return reasons.length === 0 ? fine : { state: 'degraded', reasons }
}
