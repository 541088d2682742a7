import { percentile } from '../../../../domain/statistics/percentile.ts'
import type { Instant } from '../../../../domain/time.ts'
import type { StageActivity } from '../../../../ports/reads/operations-reads.ts'
import type { FeedTable } from '../feed-table.ts'
import type { PeriodTable } from '../period-table.ts'
import type { RoundTable } from '../round-table.ts'

interface PageTables {
  readonly rounds: RoundTable
  readonly periods: PeriodTable
  readonly feeds: FeedTable
}

export function stageActivity({ rounds, periods, feeds }: PageTables, from: Instant, to: Instant): StageActivity {
  const isWithin = (at: Instant) => at >= from && at <= to
  const all = rounds.rows().map(({ round }) => round)
  const asked = all.filter(({ performedAt }) => isWithin(performedAt))
  const answered = asked.flatMap(({ answeredAt }) => (answeredAt === null ? [] : [answeredAt]))
  const settled = all.filter(({ resolvableAt, status }) => isWithin(resolvableAt) && status === 'RESOLVED')
  const predictions = [...rounds.predictionsSince(from)].filter(({ performedAt }) => isWithin(performedAt))
  const valid = predictions.filter(({ reason }) => reason === null)
  const reasons = new Map<string, number>()
  for (const { reason } of predictions) if (reason !== null) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  const { leaderboards, checkpoints } = periods.rows()
  return {
    recordCount: feeds.states().reduce((sum, { scope }) => sum + feeds.between(scope, from - 1, to).length, 0),
    roundCount: asked.length,
    answeredRoundCount: answered.length,
    lastAnsweredAt: newest(answered),
    validAnswerCount: valid.length,
    latency: latencyOf(valid.flatMap(({ durationMs }) => (durationMs === null ? [] : [durationMs]))),
    answerReasons: Object.fromEntries(reasons),
    settledCount: settled.length,
    lastSettled: newest(settled.map(({ resolvableAt }) => resolvableAt)),
    voidCount: settled.filter(({ voidReason }) => voidReason !== null).length,
    periodCount: leaderboards.filter(({ asOf }) => isWithin(asOf)).length,
    checkpointCount: checkpoints.filter(({ periodEnd }) => isWithin(periodEnd)).length,
  }
}

function newest(instants: readonly Instant[]): Instant | null {
  return instants.reduce<Instant | null>((last, at) => (last === null || at > last ? at : last), null)
}

function latencyOf(durations: readonly number[]): StageActivity['latency'] {
  const sorted = durations.toSorted((one, other) => one - other)
  const [p50Ms, p95Ms, p99Ms, maxMs] = [0.5, 0.95, 0.99, 1].map((share) => percentile(sorted, share))
  return p50Ms == null || p95Ms == null || p99Ms == null || maxMs == null ? null : { p50Ms, p95Ms, p99Ms, maxMs }
}
