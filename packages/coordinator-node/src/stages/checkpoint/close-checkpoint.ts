import { callAuthor, wrongReturn } from '../../contract/author-code.ts'
import type { RankedModel } from '../../contract/defaults/emission.ts'
import { shareProblem } from '../../contract/defaults/share-problem.ts'
import type { RankableModel } from '../../contract/ranking/ranking-options.ts'
import { ranksByContract } from '../../contract/ranking/run-rank.ts'
import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import type { Checkpoint, CheckpointEntry, UnpaidReason } from '../../domain/checkpoint.ts'
import { present } from '../../domain/errors.ts'
import { checkpointId } from '../../domain/ids.ts'
import { answeredShare, coverageOf } from '../../domain/models/coverage.ts'
import type { Model } from '../../domain/models/model.ts'
import { compareRanks, rankByValue } from '../../domain/statistics/ranking.ts'
import type { Instant } from '../../domain/time.ts'
import { divideReward } from './divide-reward.ts'
import {
  type Candidate,
  type CheckpointPeriod,
  candidatesOf,
  emissionReason,
  type Floor,
  isAboveFloor,
  payFloor,
  standingSince,
} from './pay-rules.ts'

/** On-chain names in an emission; `null` when the operator has not set them. */
export interface Payees {
  readonly crunch: string | null
  readonly computeProvider: string | null
  readonly dataProvider: string | null
}

/**
 * The payout of a period: models are ranked by their value over exactly that period, or in the contract's own order of them, and
 * the payout is divided among those that meet the conditions of a payment, whichever strategy divides it.
 */
export function closeCheckpoint(
  resolved: ResolvedContract,
  payees: Payees,
  models: readonly Model[],
  period: CheckpointPeriod,
  createdAt: Instant,
): Checkpoint {
  const candidates = candidatesOf(resolved, models, period)
  const payable = rankPayable(resolved, candidates, period)
  const floor = payFloor(resolved, candidates)
  const paid = closeRanks(payable.filter(({ value }) => isAboveFloor(resolved, floor, value)))
  // Without a payable model nothing is divided: the payout is empty, with its reason.
  const rewards = paid.length === 0 ? [] : divideReward(sharesOf(resolved, paid, floor))
  const ranks = new Map(payable.map(({ modelId, rank }) => [modelId, rank]))
  const rewardOf = new Map(
    paid.map(({ modelId }, index) => [modelId, present(rewards[index], 'a share of the payout')]),
  )
  return {
    id: checkpointId(period.end),
    era: resolved.era.number,
    periodStart: period.start,
    periodEnd: period.end,
    status: 'PENDING',
    snapshotCount: period.snapshotCount,
    contractVersions: period.contractVersions,
    entries: inOrder(resolved, candidates, ranks).map((candidate) =>
      entryOf(candidate, ranks.get(candidate.model.id) ?? null, rewardOf.get(candidate.model.id), floor),
    ),
    floor: floor.kind === 'value' ? floor.value : null,
    emissionReason: emissionReason(payable.length, paid.length, floor),
    refusals: period.refusals,
    acknowledged: null,
    ...payees,
    transactionId: null,
    submittedAt: null,
    moves: [],
    createdAt,
  }
}

function sharesOf(
  { contract: { checkpoint, leaderboard } }: ResolvedContract,
  paid: readonly RankedModel[],
  floor: Floor,
): readonly number[] {
  const { emission } = checkpoint
  const author = { path: 'checkpoint.emission.shares', owner: emission, run: emission.shares }
  const payout = { direction: leaderboard.direction, floor: floor.kind === 'value' ? floor.value : null }
  const shares = callAuthor(author, paid, payout)
  const problem = shareProblem(shares, paid)
  if (problem !== null) throw wrongReturn(author, problem)
  return shares as readonly number[]
}

type Payable = RankedModel & { readonly candidate: Candidate }

/** In order of rank. */
function rankPayable(
  resolved: ResolvedContract,
  candidates: readonly Candidate[],
  period: CheckpointPeriod,
): readonly RankedModel[] {
  const { leaderboard } = resolved.contract
  const byValue = rankByValue(
    candidates,
    ({ unpaidReason, standing }) => (unpaidReason === null ? standing.value : null),
    ({ model }) => model.id,
    leaderboard.direction,
  ).flatMap(({ item, value, rank }) =>
    rank === null ? [] : [{ modelId: item.model.id, rank, value, candidate: item }],
  )
  if (leaderboard.rank === undefined) return byValue.map(({ candidate: _, ...model }) => model)
  const ranks = ranksByContract(resolved.contract, rankableModels(resolved, byValue, period))
  return byValue
    .map(({ modelId, value }) => ({
      modelId,
      rank: present(ranks?.get(modelId), `the rank of model ${modelId}`),
      value,
    }))
    .sort((left, right) => left.rank - right.rank)
}

/** The part of each window within the payout's period, so that no result is paid twice. */
function rankableModels(
  resolved: ResolvedContract,
  payable: readonly Payable[],
  period: CheckpointPeriod,
): readonly RankableModel[] {
  const { start, end } = period
  return payable.map(({ modelId, value, candidate: { model, standing } }) => {
    const windows = resolved.windows.map(({ name, lengthMs }) => {
      const since = Math.max(start, end - lengthMs)
      return [name, standingSince(resolved, model, period, since).value] as const
    })
    return { modelId, value, windows: Object.fromEntries(windows), coverage: answeredShare(standing) }
  })
}

/** Models excluded by the floor take no place; in an order of the contract's own they may be anywhere. @param paid in order of rank */
function closeRanks(paid: readonly RankedModel[]): readonly RankedModel[] {
  const places = new Map<number, number>()
  for (const [index, { rank }] of paid.entries()) if (!places.has(rank)) places.set(rank, index + 1)
  return paid.map((model) => ({ ...model, rank: present(places.get(model.rank), 'the place of a rank') }))
}

/**
 * First the models that can be paid, with the organizer's among them, by value, or in the contract's own order with the organizer's
 * behind them; then the others, by value too. Those without a
 * value come last in each part, by id: where no model has one, the organizer's come first.
 */
function inOrder(
  { contract: { leaderboard } }: ResolvedContract,
  candidates: readonly Candidate[],
  ranks: ReadonlyMap<string, number>,
): readonly Candidate[] {
  const rankOf = ({ model }: Candidate) => ranks.get(model.id) ?? null
  const isOther = ({ role, unpaidReason }: Candidate) => Number(unpaidReason !== null && role === 'participant')
  return rankByValue(
    candidates,
    ({ standing }) => standing.value,
    ({ model }) => model.id,
    leaderboard.direction,
  )
    .map(({ item }) => item)
    .sort(
      (left, right) =>
        isOther(left) - isOther(right) ||
        (leaderboard.rank === undefined ? 0 : compareRanks(rankOf(left), rankOf(right))),
    )
}

/** @param reward `undefined` for a model that was not passed to the emission */
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
