import type { Schedule } from '../round.ts'
import { type NodeProgress, type RecentRound, recentRoundCount } from './pipeline-progress.ts'
import type { Stoppage } from './stoppage.ts'

/** A node may have just started, and its models may still be installing their packages. */
const graceMs = 60_000

/**
 * Finds schedules whose newest rounds have no valid answer. Rounds, leaderboards and checkpoints continue without answers, so
 * nothing else would show that the orchestrator hangs or that the call to the models is wrong.
 */
export function silentModels(schedule: Schedule, { recentRounds }: NodeProgress): Stoppage[] {
  const recent = recentRounds.filter(({ scheduleKey, rowCount }) => scheduleKey === schedule.key && rowCount > 0)
  const [first] = recent
  if (first === undefined || recent.length < recentRoundCount) return []
  if (recent.some(({ validCount }) => validCount > 0)) return []
  const reason = recent.at(-1)?.commonReason ?? 'unknown'
  return [
    {
      stage: 'prediction',
      key: `models of ${schedule.key}`,
      what: `the last ${recentRoundCount} rounds of "${schedule.key}" have no valid answer from any model`,
      since: first.performedAt,
      heldUpBy: `all ${countRows(recent)} answers are missing or invalid; the most common reason in the last round is ${reason}`,
      fix: 'check the models (crunch models) and the orchestrator (crunch logs models), then run crunch restart models',
      graceMs,
      dataGraceMs: 0,
    },
  ]
}

function countRows(rounds: readonly RecentRound[]): number {
  return rounds.reduce((sum, { rowCount }) => sum + rowCount, 0)
}
