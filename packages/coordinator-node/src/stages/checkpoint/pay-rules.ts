import { type PeriodScores, scoresIn } from '../../contract/ranking/period-scores.ts'
import { aggregated } from '../../contract/ranking/run-aggregate.ts'
import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import type { EmissionReason, UnpaidReason } from '../../domain/checkpoint.ts'
import { answeredShare } from '../../domain/models/coverage.ts'
import { isRetired, type Model } from '../../domain/models/model.ts'
import { type ModelRole, nameKey, roleOf } from '../../domain/models/model-role.ts'
import type { Span } from '../../domain/models/span.ts'
import { countRounds, type Standing, standingOf } from '../../domain/models/standing.ts'
import type { Refusal } from '../../domain/progress/refusal.ts'
import type { Instant } from '../../domain/time.ts'

/** A model with a row in the period, before the floor is known. */
export interface Candidate {
  readonly model: Model
  readonly role: ModelRole
  readonly standing: Standing
  /** Why the model cannot be paid; `null` for a payable model. */
  readonly unpaidReason: UnpaidReason | null
}

/** The floor that a paid value must exceed. unknown: there is a floor without a value, so nothing exceeds it. */
export type Floor =
  | { readonly kind: 'none' }
  | { readonly kind: 'value'; readonly value: number }
  | { readonly kind: 'unknown' }

/** The period of a payout, with the snapshot periods closed in it. */
export interface CheckpointPeriod extends Span {
  readonly start: Instant
  readonly end: Instant
  readonly snapshotCount: number
  /** Number of scores of the snapshots by version of the contract's code. */
  readonly contractVersions: Readonly<Record<string, number>>
  /** Truths and scores of the period that the contract refused. */
  readonly refusals: readonly Refusal[]
  /** Scores of every snapshot period, by its end, if the contract defines `leaderboard.aggregate`; otherwise `null`. */
  readonly scores: ReadonlyMap<Instant, PeriodScores> | null
}

/** The models of a period, in order of id, each with the first condition of a payment that it does not meet. */
export function candidatesOf(
  resolved: ResolvedContract,
  models: readonly Model[],
  period: CheckpointPeriod,
): readonly Candidate[] {
  return models.flatMap((model) => {
    if (period.totals.get(model.id)?.hasRow() !== true) return []
    const standing = standingSince(resolved, model, period, period.start)
    const role = roleOf(model, resolved.organizer)
    const unpaidReason = role === 'participant' ? missingRequirement(resolved, model, standing, period.end) : role
    return [{ model, role, standing, unpaidReason }]
  })
}

/** The results of a model in a payout's period from an instant on. */
export function standingSince(
  resolved: ResolvedContract,
  model: Model,
  { end, periods, totals, scores }: CheckpointPeriod,
  start: Instant,
): Standing {
  const within = periods.filter(({ periodStart }) => periodStart >= start)
  const standing = standingOf(resolved, model, within, countRounds(within), totals.get(model.id))
  return aggregated(resolved, model, standing, { start, end, scores: scoresIn(scores, within) })
}

/** The first requirement of a payment that a participant's model does not meet. */
function missingRequirement(
  { minPayCoverage }: ResolvedContract,
  model: Model,
  standing: Standing,
  periodEnd: Instant,
): UnpaidReason | null {
  if (isRetired(model, periodEnd)) return 'retired'
  if (standing.validCount === 0 || standing.scoreCount === 0) return 'no_answer'
  if (standing.value === null) return 'no_value'
  return answeredShare(standing) >= minPayCoverage ? null : 'low_coverage'
}

/**
 * The floor of a payout. The floor of a baseline is its value in the same period, which counts only if the baseline meets
 * the requirements for participants; if several share the name, the best one counts.
 */
export function payFloor(resolved: ResolvedContract, candidates: readonly Candidate[]): Floor {
  const { payAbove } = resolved.contract.checkpoint.emission
  if (payAbove === undefined) return { kind: 'none' }
  if (payAbove.baseline === undefined) return { kind: 'value', value: payAbove.value }
  const key = nameKey(payAbove.baseline)
  const values = candidates.flatMap(({ model, role, standing }) => {
    const counts = role === 'baseline' && nameKey(model.name) === key && hasAnswered(standing)
    return counts && answeredShare(standing) >= resolved.minPayCoverage && standing.value !== null
      ? [standing.value]
      : []
  })
  const [first, ...others] = values
  if (first === undefined) return { kind: 'unknown' }
  return {
    kind: 'value',
    value: others.reduce((best, value) => (isBetter(resolved, value, best) ? value : best), first),
  }
}

/** Equal to the floor is not above it. */
export function isAboveFloor(resolved: ResolvedContract, floor: Floor, value: number): boolean {
  if (floor.kind === 'value') return isBetter(resolved, value, floor.value)
  return floor.kind === 'none'
}

/** Why no model is paid; `null` when at least one is. */
export function emissionReason(payableCount: number, paidCount: number, floor: Floor): EmissionReason | null {
  if (paidCount > 0) return null
  if (payableCount === 0) return 'no_payable_model'
  return floor.kind === 'unknown' ? 'floor_unknown' : 'nobody_above_floor'
}

function isBetter({ contract }: ResolvedContract, value: number, other: number): boolean {
  return contract.leaderboard.direction === 'desc' ? value > other : value < other
}

/** A score imputed for a missing answer is not the model's own. */
function hasAnswered({ validCount, value }: Standing): boolean {
  return validCount > 0 && value !== null
}
