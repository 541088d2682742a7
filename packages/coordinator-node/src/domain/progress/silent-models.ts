import type { Schedule } from '../round.ts'
import { type NodeProgress, type RecentRound, recentRoundCount } from './pipeline-progress.ts'
import type { Stoppage } from './stoppage.ts'

/** A node may have just started, with its models and their packages. */
const graceMs = 60_000

/**
 * The newest rounds of a schedule have rows, but not one valid answer. Rounds, leaderboards and checkpoints continue
 * without any, so nothing else would show that an orchestrator hangs or that a call is broken.
 */
export function silentModels(schedule: Schedule, { recentRounds }: NodeProgress): Stoppage[] {
  const recent = recentRounds.filter(({ scheduleKey, rowCount }) => scheduleKey === schedule.key && rowCount > 0)
  const [first] = recent
  if (first === undefined || recent.length < recentRoundCount) return []
  if (recent.some(({ validCount }) => validCount > 0)) return []
  const reason = recent.at(-1)?.commonReason ?? 'no reason is given'
  return [
    {
      stage: 'prediction',
      key: `models of ${schedule.key}`,
      what: `no model has given a valid answer in the newest ${recentRoundCount} rounds of "${schedule.key}"`,
      since: first.performedAt,
      heldUpBy: `${countRows(recent)} answers are missing, the newest mostly because of ${reason}`,
      fix: 'check each model with crunch models, and the orchestrator with crunch logs models; start it again with crunch restart models',
      graceMs,
      dataGraceMs: 0,
    },
  ]
}

function countRows(rounds: readonly RecentRound[]): number {
  return rounds.reduce((sum, { rowCount }) => sum + rowCount, 0)
}
