import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import type { Checkpoint, CheckpointEntry } from '../../domain/checkpoint.ts'
import { addFinite } from '../../domain/finite-sum.ts'
import { checkpointId } from '../../domain/ids.ts'
import { rankByValue } from '../../domain/ranking.ts'
import type { Snapshot } from '../../domain/snapshot.ts'
import type { Instant } from '../../domain/time.ts'
import { divideReward } from './divide-reward.ts'

/** On-chain names that an emission carries; `null` when the operator has not set them. */
export interface Payees {
  readonly crunch: string | null
  readonly computeProvider: string | null
  readonly dataProvider: string | null
}

/** The payout of a period, from all its snapshots: ranked by the mean of the ranking value over exactly that period. */
export function closeCheckpoint(
  resolved: ResolvedContract,
  payees: Payees,
  periodStart: Instant,
  periodEnd: Instant,
  snapshots: readonly Snapshot[],
  createdAt: Instant,
): Checkpoint {
  const { leaderboard } = resolved.contract
  const ranked = rankByValue(
    modelTotals(snapshots, leaderboard.value),
    (total) => (total.count === 0 ? null : total.sum / total.count),
    (total) => total.modelId,
    leaderboard.direction,
  )
  const paid = ranked.flatMap(({ item, rank }) =>
    rank === null ? [] : [{ modelId: item.modelId, rank, value: item.sum / item.count }],
  )
  const rewards = divideReward(resolved.contract.checkpoint.emission.shares(paid))
  return {
    id: checkpointId(periodEnd),
    periodStart,
    periodEnd,
    status: 'PENDING',
    snapshotCount: snapshots.length,
    entries: ranked.map(
      ({ item, rank }, index): CheckpointEntry => ({
        modelId: item.modelId,
        rank,
        value: item.count === 0 ? null : item.sum / item.count,
        scoreCount: item.count,
        dueCount: item.due,
        answeredCount: item.answered,
        // Unranked models come last, so a ranked model's place is its place among the rewards.
        rewardFrac64: rewards[index] ?? 0,
        cruncherIndex: null,
      }),
    ),
    ...payees,
    transactionId: null,
    submittedAt: null,
    createdAt,
  }
}

interface ModelTotal {
  readonly modelId: string
  sum: number
  count: number
  due: number
  answered: number
}

function modelTotals(snapshots: readonly Snapshot[], field: string): ModelTotal[] {
  const totals = new Map<string, ModelTotal>()
  for (const snapshot of snapshots) {
    const total = totals.get(snapshot.modelId) ?? { modelId: snapshot.modelId, sum: 0, count: 0, due: 0, answered: 0 }
    totals.set(snapshot.modelId, total)
    total.sum = addFinite(total.sum, snapshot.sums[field]?.sum ?? 0)
    total.count += snapshot.sums[field]?.count ?? 0
    total.due += snapshot.dueCount
    total.answered += snapshot.answeredCount
  }
  return [...totals.values()]
}
