import type { Checkpoint } from '../../domain/checkpoint.ts'
import { type FeedState, feedScopeKey } from '../../domain/feed-record.ts'
import type { Model } from '../../domain/models/model.ts'
import type { PipelineProgress } from '../../domain/progress/pipeline-progress.ts'
import type { Instant } from '../../domain/time.ts'
import type { StageActivity } from '../../ports/reads/operations-reads.ts'
import type { LeaseState } from '../../ports/store-workers.ts'
import type { ReportContext } from '../report-context.ts'
import { leaseReason } from '../routes/node/lease-health.ts'
import { timeOrNull, zonedTime } from '../rows/row-fields.ts'
import { type ProblemRow, type StageRow, stageNames } from './operations-schema.ts'
import { feedReason, refusedModels } from './state-reasons.ts'

/** What is read once for all viewers. */
export interface OperationsFacts {
  readonly now: Instant
  readonly progress: PipelineProgress
  readonly activity: StageActivity
  /** Of the contract. */
  readonly feeds: readonly FeedState[]
  readonly models: readonly Model[]
  readonly pending: readonly Checkpoint[]
  readonly lease: LeaseState | null
}

export function stageRows(facts: OperationsFacts, snapshotEveryMs: number): StageRow[] {
  const { now, progress, activity, feeds, pending } = facts
  const { openRounds, lastPeriodEnd, lastCheckpointEnd, firstInOpenPeriod, lastRoundTimes } = progress
  const sum = (key: 'unansweredCount' | 'ripeCount') => openRounds.reduce((total, one) => total + one[key], 0)
  const waitMs = (instants: readonly (Instant | null)[]) => Math.max(0, ...instants.map((at) => now - (at ?? now)))
  const watermarks = feeds.flatMap(({ watermarkAt }) => (watermarkAt === null ? [] : [watermarkAt]))
  const base = { queue: null, latency_ms: null, failures: {} }
  // A period without rounds is not closed, and nothing waits.
  const openSince = firstInOpenPeriod === null ? null : Math.max(lastPeriodEnd ?? firstInOpenPeriod, firstInOpenPeriod)
  const periods = {
    ...base,
    last_at: timeOrNull(lastPeriodEnd),
    lag_ms: openSince === null ? 0 : Math.max(0, now - openSince - snapshotEveryMs),
    per_hour: activity.periodCount,
  }
  return [
    {
      ...base,
      stage: 'feed',
      last_at: newestTime(watermarks),
      lag_ms: watermarks.length < feeds.length || feeds.length === 0 ? null : waitMs(watermarks),
      per_hour: activity.recordCount,
    },
    {
      ...base,
      ...{ stage: 'input', last_at: newestTime([...lastRoundTimes.values()]), lag_ms: null },
      per_hour: activity.roundCount,
    },
    {
      stage: 'prediction',
      last_at: timeOrNull(activity.lastAnsweredAt),
      lag_ms: waitMs(openRounds.map(({ firstUnansweredAt }) => firstUnansweredAt)),
      per_hour: activity.answeredRoundCount,
      queue: sum('unansweredCount'),
      latency_ms: latencyRow(activity),
      failures: activity.answerReasons,
    },
    {
      ...base,
      stage: 'score',
      last_at: timeOrNull(activity.lastSettled),
      lag_ms: waitMs(openRounds.map(({ firstRipeAt }) => firstRipeAt)),
      per_hour: activity.settledCount,
      queue: sum('ripeCount'),
      failures: activity.voidCount === 0 ? {} : { void: activity.voidCount },
    },
    { ...periods, stage: 'snapshot' },
    { ...periods, stage: 'leaderboard' },
    {
      ...base,
      stage: 'checkpoint',
      last_at: timeOrNull(lastCheckpointEnd),
      lag_ms: null,
      per_hour: activity.checkpointCount,
      queue: pending.filter(pays).length,
    },
  ]
}

/** A payout that pays no model is never confirmed, so it waits for nothing. */
function pays({ entries }: Checkpoint): boolean {
  return entries.some(({ rewardFrac64 }) => rewardFrac64 > 0)
}

function newestTime(instants: readonly Instant[]): string | null {
  return instants.length === 0 ? null : zonedTime(Math.max(...instants))
}

function latencyRow({ latency }: StageActivity): StageRow['latency_ms'] {
  return latency === null ? null : { p50: latency.p50Ms, p95: latency.p95Ms, p99: latency.p99Ms, max: latency.maxMs }
}

/** What is degraded, in the order of the pipeline. Errors of the organizer's code and services are for admins. */
export function problemRows(facts: OperationsFacts, report: ReportContext, isAdmin: boolean): ProblemRow[] {
  const { now, progress, feeds, models, pending, lease } = facts
  const problems: ProblemRow[] = (report.progress?.().alarms ?? []).map(({ stage, what, since, heldUpBy, fix }) => ({
    ...{ stage: stageNames.find((name) => name === stage) ?? 'prediction' },
    ...{ what, since: zonedTime(since), cause: heldUpBy, fix },
  }))
  for (const feed of feeds) {
    const what = feedReason(feed, now)
    const since = feed.status === 'up' ? feed.watermarkAt : feed.statusSince
    const fix = `The node reconnects by itself. Its log says why it cannot: crunch logs predict, feed ${feedScopeKey(feed.scope)}.`
    if (what !== null) problems.push({ stage: 'feed', what, since: timeOrNull(since), cause: null, fix })
  }
  const noRounds = leaseReason(lease)
  if (noRounds !== null) {
    const fix = 'Start the predict worker, or see why it stopped: crunch logs predict.'
    problems.push({
      stage: 'prediction',
      what: noRounds,
      since: timeOrNull(lease?.heartbeatAt ?? null),
      cause: null,
      fix,
    })
  }
  for (const what of refusedModels(models)) {
    const fix = 'Decide who owns the id: crunch models reassign.'
    problems.push({ stage: 'prediction', what, since: null, cause: null, fix })
  }
  for (const { worker, problem } of progress.heartbeats) {
    if (problem === null) continue
    const fix = `Correct the cause, which the log names: crunch logs ${worker}.`
    const stage = stageNames.find((name) => name === worker) ?? (worker === 'feed-data' ? 'feed' : 'prediction')
    const what = `the newest pass of the ${worker} worker failed`
    problems.push({ stage, what, since: null, cause: isAdmin ? problem : null, fix })
  }
  const registry = pending.some(pays) ? (report.payouts?.registryProblem(models) ?? null) : null
  if (registry !== null) {
    const { reason, detail, since } = registry
    const fix = 'Correct the registry that CRUNCHER_REGISTRY names; waiting payouts need it.'
    problems.push({
      ...{ stage: 'checkpoint', what: reason, since: zonedTime(since), cause: isAdmin ? detail : null, fix },
    })
  }
  return problems.sort((one, other) => stageNames.indexOf(one.stage) - stageNames.indexOf(other.stage))
}
