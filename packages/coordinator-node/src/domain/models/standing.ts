import type { NewcomerPolicy } from '../leaderboard.ts'
import type { PeriodRounds } from '../period-rounds.ts'
import type { FieldSum } from '../snapshot.ts'
import { addFinite } from '../statistics/finite-sum.ts'
import type { AnsweredRounds } from './coverage.ts'
import type { Model } from './model.ts'
import { createModelTotals, type ModelTotals } from './model-totals.ts'

/** The result of one model over a span. */
export interface Standing extends AnsweredRounds {
  /** The mean of the ranking value; `null` for a model without a score. */
  readonly value: number | null
  /** Scores, including imputed ones. */
  readonly scoreCount: number
  readonly dueCount: number
  readonly answeredCount: number
}

/** Rules for computing standings. */
export interface StandingRules {
  readonly newcomers: NewcomerPolicy
}

/**
 * Sums one model's results over closed periods. Rounds that it missed since its registration because it was retired count as
 * missing answers under every policy for newcomers; otherwise a model could retire before a hard round at no cost.
 * The value is a mean over scores, computed from sums and counts, not a mean of means. Sums run oldest first: in
 * another order their last bits would differ.
 * @param roundCount of all the periods
 * @param own the model's snapshots, of `periods` and possibly earlier ones; `undefined` without any
 */
export function standingOf(
  { newcomers }: StandingRules,
  { registeredAt }: Pick<Model, 'registeredAt'>,
  periods: readonly PeriodRounds[],
  roundCount: number,
  own: ModelTotals = noTotals,
): Standing {
  const total = { sum: 0, count: 0, scoreCount: 0, dueCount: 0, answeredCount: 0, validCount: 0, excusedCount: 0 }
  const charge = ({ sum, count }: FieldSum) => {
    total.sum = addFinite(total.sum, sum)
    total.count += count
  }
  const chargesUnasked = newcomers === 'worst'
  let next = own.indexFrom(periods[0]?.periodEnd ?? Number.POSITIVE_INFINITY)
  for (const { periodEnd, firstPerformedAt, worst, missing } of periods) {
    if (own.periodEndAt(next) === periodEnd) {
      own.addTo(total, next, chargesUnasked)
      next += 1
    } else if (registeredAt <= firstPerformedAt) charge(missing)
    else if (chargesUnasked) charge(worst)
  }
  if (next < own.length) throw new RangeError('a snapshot matches no period of its span, or is out of order')
  const { sum, count, ...counts } = total
  // Without scores of its own, the model has no value.
  return { ...counts, roundCount, value: counts.scoreCount === 0 ? null : sum / count }
}

/** Total number of rounds of the periods. */
export function countRounds(periods: readonly PeriodRounds[]): number {
  return periods.reduce((sum, { roundCount }) => sum + roundCount, 0)
}

const noTotals = createModelTotals('')
