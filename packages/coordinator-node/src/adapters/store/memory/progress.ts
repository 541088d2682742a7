import type { Checkpoint } from '../../../domain/checkpoint.ts'
import { feedScopeKey } from '../../../domain/feed-record.ts'
import { groupBy } from '../../../domain/group-by.ts'
import type { Leaderboard } from '../../../domain/leaderboard.ts'
import type { Model } from '../../../domain/models/model.ts'
import { isValidAnswer, type Prediction } from '../../../domain/prediction.ts'
import {
  type Heartbeat,
  type OpenRounds,
  type PipelineProgress,
  type RecentRound,
  recentRoundCount,
} from '../../../domain/progress/pipeline-progress.ts'
import type { StandingRefusal } from '../../../domain/progress/refusal.ts'
import type { Round } from '../../../domain/round.ts'
import type { Instant } from '../../../domain/time.ts'
import type { WorkerBeat } from '../../../ports/store-workers.ts'
import { compareText } from '../compare-text.ts'
import type { FeedTable } from './feed-table.ts'
import { type RefusedInputs, standingInputs, standingRefusals } from './refusals.ts'
import type { RoundTable } from './round-table.ts'

export interface HeartbeatTable {
  beat(heartbeat: WorkerBeat): void
  rows(): readonly Heartbeat[]
}

export function createHeartbeatTable(): HeartbeatTable {
  const beats = new Map<string, { at: Instant; atMs: number; workedAtMs: number | null } & WorkerBeat>()
  return {
    beat(heartbeat) {
      const { worker, hasWorked } = heartbeat
      const atMs = performance.now()
      const workedAtMs = hasWorked ? atMs : (beats.get(worker)?.workedAtMs ?? null)
      beats.set(worker, { ...heartbeat, at: Date.now(), atMs, workedAtMs })
    },
    rows() {
      const nowMs = performance.now()
      return [...beats]
        .map(([worker, { at, atMs, nextWithinMs, workedAtMs, problem }]) => ({
          worker,
          at,
          silentMs: nowMs - atMs,
          overdueMs: nowMs - atMs - nextWithinMs,
          sinceWorkMs: workedAtMs === null ? null : nowMs - workedAtMs,
          problem,
        }))
        .sort((left, right) => compareText(left.worker, right.worker))
    },
  }
}

export interface ProgressTables {
  readonly heartbeats: HeartbeatTable
  readonly feeds: FeedTable
  readonly rounds: RoundTable
  /** Progress of the active schedules. */
  readonly scheduleKeys: readonly string[]
  readonly refusedInputs: (scheduleKey: string) => RefusedInputs | undefined
  readonly models: readonly Model[]
  readonly leaderboards: readonly Leaderboard[]
  readonly checkpoints: readonly Checkpoint[]
}

export function pipelineProgress(tables: ProgressTables, at: Instant): PipelineProgress {
  const { heartbeats, feeds, rounds, models, leaderboards, checkpoints } = tables
  const lastPeriodEnd = leaderboards.at(-1)?.asOf ?? null
  const lastCheckpointEnd = checkpoints.at(-1)?.periodEnd ?? null
  return {
    heartbeats: heartbeats.rows(),
    firstModelAt: earliest(
      models.flatMap((model) => (model.retirements.at(-1)?.until === null ? [] : model.registeredAt)),
    ),
    lastRoundTimes: rounds.lastTimes(),
    openRounds: openRounds(rounds.unresolved(), feeds, at),
    recentRounds: recentRounds(rounds, tables.scheduleKeys),
    refusals: refusals(tables),
    lastPeriodEnd,
    firstInOpenPeriod: rounds.firstResolvableAt(lastPeriodEnd ?? Number.NEGATIVE_INFINITY),
    lastCheckpointEnd,
    firstInOpenCheckpoint: rounds.firstResolvableAt(lastCheckpointEnd ?? Number.NEGATIVE_INFINITY),
  }
}

function openRounds(unresolved: readonly Round[], feeds: FeedTable, at: Instant): readonly OpenRounds[] {
  const groups = groupBy(unresolved, ({ scheduleKey, scope }) => JSON.stringify([scheduleKey, feedScopeKey(scope)]))
  return [...groups.values()]
    .map((rounds) => roundsOfGroup(rounds, feeds, at))
    .sort(
      (left, right) =>
        compareText(left.scheduleKey, right.scheduleKey) ||
        compareText(feedScopeKey(left.scope), feedScopeKey(right.scope)),
    )
}

function roundsOfGroup(rounds: readonly Round[], feeds: FeedTable, at: Instant): OpenRounds {
  const { scheduleKey, scope } = rounds[0] as Round
  const watermarkAt = feeds.watermark(scope) ?? Number.NEGATIVE_INFINITY
  const unanswered = rounds.filter(({ answeredAt }) => answeredAt === null)
  const due = rounds.filter(({ resolvableAt }) => resolvableAt <= at)
  const ripe = rounds.filter(
    ({ answeredAt, expiresAt, resolvableAt }) =>
      answeredAt !== null && (expiresAt <= at || resolvableAt <= watermarkAt),
  )
  return {
    scheduleKey,
    scope,
    unansweredCount: unanswered.length,
    firstUnansweredAt: earliest(unanswered.map(({ performedAt }) => performedAt)),
    dueCount: due.length,
    firstDueAt: earliest(due.map(({ resolvableAt }) => resolvableAt)),
    ripeCount: ripe.length,
    firstRipeAt: earliest(ripe.map(({ resolvableAt }) => resolvableAt)),
    expiredCount: rounds.filter(({ expiresAt }) => expiresAt <= at).length,
  }
}

function recentRounds(rounds: RoundTable, scheduleKeys: readonly string[]): readonly RecentRound[] {
  const answered = rounds.rows().filter(({ round }) => round.answeredAt !== null && round.voidReason === null)
  return [...scheduleKeys].sort(compareText).flatMap((scheduleKey) =>
    answered
      .filter(({ round }) => round.scheduleKey === scheduleKey)
      .slice(-recentRoundCount)
      .map(({ round, predictions }) => ({
        scheduleKey,
        performedAt: round.performedAt,
        rowCount: predictions.length,
        validCount: predictions.filter(({ status }) => isValidAnswer(status)).length,
        commonReason: commonReason(predictions),
      })),
  )
}

function refusals({ rounds, scheduleKeys, refusedInputs }: ProgressTables): readonly StandingRefusal[] {
  const lastTimes = rounds.lastTimes()
  return [...scheduleKeys]
    .sort(compareText)
    .flatMap((key) => [
      ...standingInputs(key, refusedInputs(key), lastTimes.get(key)),
      ...standingRefusals(key, rounds.rows()),
    ])
}

function commonReason(predictions: readonly Prediction[]): string | null {
  const counts = new Map<string, number>()
  for (const { reason } of predictions) if (reason !== null) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  const [common] = [...counts].sort(([left, some], [right, others]) => others - some || compareText(left, right))
  return common?.[0] ?? null
}

function earliest(instants: readonly Instant[]): Instant | null {
  return instants.reduce<Instant | null>((first, at) => (first === null || at < first ? at : first), null)
}
