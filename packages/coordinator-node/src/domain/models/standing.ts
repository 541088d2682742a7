import type { NewcomerPolicy } from '../leaderboard.ts'
import type { PeriodRounds } from '../period-rounds.ts'
import type { FieldSum, Snapshot } from '../snapshot.ts'
import { addFinite } from '../statistics/finite-sum.ts'
import type { AnsweredRounds } from './coverage.ts'
import type { Model } from './model.ts'

/** Closed periods that follow each other, with all their snapshots. Both oldest first. */
export interface Span {
  readonly periods: readonly PeriodRounds[]
  readonly snapshots: readonly Snapshot[]
}

/** What one model has over a span. */
export interface Standing extends AnsweredRounds {
  /** The mean of the ranking value; `null` for a model without a score. */
  readonly value: number | null
  /** Scores, those given to missing answers included. */
  readonly scoreCount: number
  readonly dueCount: number
  readonly answeredCount: number
}

/** How standings are made. */
export interface StandingRules {
  /** The score field by which models are ranked. */
  readonly field: string
  readonly newcomers: NewcomerPolicy
}

/**
 * Adds up one model's results over a span. Rounds that it missed since its registration because it was retired count as
 * missing answers, whatever the policy for newcomers; otherwise a model could retire before a hard round at no cost.
 * The value is a mean over scores, computed from sums and counts, not a mean of means. Sums run oldest first: in
 * another order their last bits would differ.
 * @param snapshots the model's own, each of one of `periods`
 * @param roundCount of all the periods
 */
export function standingOf(
  { field, newcomers }: StandingRules,
  { registeredAt }: Pick<Model, 'registeredAt'>,
  periods: readonly PeriodRounds[],
  roundCount: number,
  snapshots: readonly Snapshot[],
): Standing {
  const total = { sum: 0, count: 0, scoreCount: 0, dueCount: 0, answeredCount: 0, validCount: 0, excusedCount: 0 }
  const add = ({ sum, count }: FieldSum) => {
    total.sum = addFinite(total.sum, sum)
    total.count += count
  }
  const addSnapshot = (snapshot: Snapshot) => {
    const own = snapshot.sums[field]
    if (own !== undefined) add(own)
    total.scoreCount += own?.count ?? 0
    total.dueCount += snapshot.dueCount
    total.answeredCount += snapshot.answeredCount
    total.validCount += snapshot.validCount
    total.excusedCount += snapshot.excusedCount
  }
  let next = 0
  for (const { periodEnd, firstPerformedAt, worst, missing } of periods) {
    const snapshot = snapshots[next]
    if (snapshot?.periodEnd === periodEnd) {
      addSnapshot(snapshot)
      add(snapshot.missed)
      if (newcomers === 'worst') add(snapshot.unasked)
      next += 1
    } else if (registeredAt <= firstPerformedAt) add(missing)
    else if (newcomers === 'worst') add(worst)
  }
  if (next < snapshots.length) throw new RangeError('a snapshot matches no period of its span, or is out of order')
  const { sum, count, ...counts } = total
  // Without an own score there is no sum to add the worst ones to.
  return { ...counts, roundCount, value: counts.scoreCount === 0 ? null : sum / count }
}

/** How many rounds the periods have together. */
export function countRounds(periods: readonly PeriodRounds[]): number {
  return periods.reduce((sum, { roundCount }) => sum + roundCount, 0)
}

export function groupByModel(snapshots: readonly Snapshot[]): ReadonlyMap<string, readonly Snapshot[]> {
  const groups = new Map<string, Snapshot[]>()
  for (const snapshot of snapshots) {
    const group = groups.get(snapshot.modelId)
    if (group === undefined) groups.set(snapshot.modelId, [snapshot])
    else group.push(snapshot)
  }
  return groups
}
