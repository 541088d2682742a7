import { callAuthor, wrongReturn } from '../../contract/author-code.ts'
import type { RankedModel } from '../../contract/defaults/tiers.ts'
import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import type { Checkpoint, CheckpointEntry, UnpaidReason } from '../../domain/checkpoint.ts'
import { checkpointId } from '../../domain/ids.ts'
import { coverageOf } from '../../domain/models/coverage.ts'
import type { Model } from '../../domain/models/model.ts'
import type { Span } from '../../domain/models/span.ts'
import type { Refusal } from '../../domain/progress/refusal.ts'
import { rankByValue } from '../../domain/statistics/ranking.ts'
import type { Instant } from '../../domain/time.ts'
import { divideReward, shareProblem } from './divide-reward.ts'
import { type Candidate, candidatesOf, emissionReason, type Floor, isAboveFloor, payFloor } from './pay-rules.ts'

/** On-chain names that an emission carries; `null` when the operator has not set them. */
export interface Payees {
  readonly crunch: string | null
  readonly computeProvider: string | null
  readonly dataProvider: string | null
}

/** The period of a payout, with the snapshot periods closed in it. */
export interface CheckpointPeriod extends Span {
  readonly start: Instant
  readonly end: Instant
  readonly snapshotCount: number
  /** How many scores of the snapshots each version of the contract's code computed. */
  readonly contractVersions: Readonly<Record<string, number>>
  /** Truths and scores of it that the contract refused. */
  readonly refusals: readonly Refusal[]
}

/**
 * The payout of a period: models are ranked by the mean of the ranking value over exactly that period, and the payout
 * is divided among those that meet the conditions of a payment, whichever strategy divides it.
 */
export function closeCheckpoint(
  resolved: ResolvedContract,
  payees: Payees,
  models: readonly Model[],
  period: CheckpointPeriod,
  createdAt: Instant,
): Checkpoint {
  const candidates = candidatesOf(resolved, models, period, period.end)
  const payable = rankPayable(resolved, candidates)
  const floor = payFloor(resolved, candidates)
  const paid = payable.filter(({ value }) => isAboveFloor(resolved, floor, value))
  // Without a payable model nothing is divided: the payout is empty, with its reason.
  const rewards = paid.length === 0 ? [] : divideReward(sharesOf(resolved, paid))
  const ranks = new Map(payable.map(({ modelId, rank }) => [modelId, rank]))
  const rewardOf = new Map(paid.map(({ modelId }, index) => [modelId, rewards[index] ?? 0]))
  return {
    id: checkpointId(period.end),
    era: resolved.era.number,
    periodStart: period.start,
    periodEnd: period.end,
    status: 'PENDING',
    snapshotCount: period.snapshotCount,
    contractVersions: period.contractVersions,
    entries: inOrder(resolved, candidates).map((candidate) =>
      entryOf(candidate, ranks.get(candidate.model.id) ?? null, rewardOf.get(candidate.model.id), floor),
    ),
    floor: floor.kind === 'value' ? floor.value : null,
    emissionReason: emissionReason(payable.length, paid.length, floor),
    refusals: period.refusals,
    acknowledged: null,
    ...payees,
    transactionId: null,
    submittedAt: null,
    createdAt,
  }
}

function sharesOf({ contract: { checkpoint } }: ResolvedContract, paid: readonly RankedModel[]): readonly number[] {
  const { emission } = checkpoint
  const author = { path: 'checkpoint.emission.shares', owner: emission, run: emission.shares }
  const shares = callAuthor(author, paid)
  const problem = shareProblem(shares, paid.length)
  if (problem !== null) throw wrongReturn(author, problem)
  return shares as readonly number[]
}

function rankPayable(resolved: ResolvedContract, candidates: readonly Candidate[]): readonly RankedModel[] {
  const payable = candidates.filter(({ unpaidReason }) => unpaidReason === null)
  return rankByValue(
    payable,
    ({ standing }) => standing.value,
    ({ model }) => model.id,
    resolved.contract.leaderboard.direction,
  ).flatMap(({ item, rank }) =>
    rank === null || item.standing.value === null ? [] : [{ modelId: item.model.id, rank, value: item.standing.value }],
  )
}

/**
 * First the models that can be paid, with the organizer's among them, by value; then the others, by value too. Those without a
 * value come last in each part, by id: where no model has one, the organizer's come first.
 */
function inOrder(resolved: ResolvedContract, candidates: readonly Candidate[]): readonly Candidate[] {
  const isOther = ({ role, unpaidReason }: Candidate) => Number(unpaidReason !== null && role === 'participant')
  return rankByValue(
    candidates,
    ({ standing }) => standing.value,
    ({ model }) => model.id,
    resolved.contract.leaderboard.direction,
  )
    .map(({ item }) => item)
    .sort((left, right) => isOther(left) - isOther(right))
}

/** @param reward `undefined` for a model that the emission was not asked for */
function entryOf(
  { model, standing, unpaidReason }: Candidate,
  rank: number | null,
  reward: number | undefined,
  floor: Floor,
): CheckpointEntry {
  const { value, scoreCount, dueCount, answeredCount, validCount, roundCount, excusedCount } = standing
  return {
    modelId: model.id,
    rank,
    value,
    scoreCount,
    dueCount,
    answeredCount,
    validCount,
    roundCount: roundCount - excusedCount,
    coverage: coverageOf(standing),
    rewardFrac64: reward ?? 0,
    unpaidReason: unpaidReason ?? unpaidAfterFloor(reward, floor),
    cruncherIndex: null,
  }
}

function unpaidAfterFloor(reward: number | undefined, floor: Floor): UnpaidReason | null {
  if (reward === undefined) return floor.kind === 'unknown' ? 'floor_unknown' : 'not_above_floor'
  return reward === 0 ? 'no_share' : null
}
