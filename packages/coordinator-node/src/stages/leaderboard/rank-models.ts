import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import { addFinite } from '../../domain/finite-sum.ts'
import { leaderboardId } from '../../domain/ids.ts'
import type { Leaderboard, LeaderboardEntry } from '../../domain/leaderboard.ts'
import type { Model } from '../../domain/model.ts'
import { rankByValue } from '../../domain/ranking.ts'
import type { Snapshot } from '../../domain/snapshot.ts'
import type { Instant } from '../../domain/time.ts'

/**
 * The ranks at the end of a period, from the snapshots of the longest window before it (oldest first).
 * A window's value is the mean over its scores: sums and counts add up, so no mean of means. Models registered later than
 * `asOf` are left out, which makes the result independent of when it is computed.
 */
export function rankModels(
  resolved: ResolvedContract,
  models: readonly Model[],
  snapshots: readonly Snapshot[],
  asOf: Instant,
): Leaderboard {
  const { leaderboard } = resolved.contract
  const byModel = new Map<string, Snapshot[]>()
  for (const snapshot of snapshots) {
    const own = byModel.get(snapshot.modelId)
    if (own === undefined) byModel.set(snapshot.modelId, [snapshot])
    else own.push(snapshot)
  }
  const entries = models
    .filter((model) => model.registeredAt < asOf)
    .map((model) => modelEntry(resolved, model.id, byModel.get(model.id) ?? [], asOf))
  const ranked = rankByValue(
    entries,
    (entry) => entry.windows[leaderboard.rankBy] ?? null,
    (entry) => entry.modelId,
    leaderboard.direction,
  )
  return {
    id: leaderboardId(asOf),
    asOf,
    rankBy: leaderboard.rankBy,
    direction: leaderboard.direction,
    entries: ranked.map(({ item, rank }) => ({ ...item, rank })),
  }
}

function modelEntry(
  resolved: ResolvedContract,
  modelId: string,
  snapshots: readonly Snapshot[],
  asOf: Instant,
): LeaderboardEntry {
  const { leaderboard } = resolved.contract
  const windows: Record<string, number | null> = {}
  let scoreCount = 0
  let coverage: number | null = null
  for (const window of resolved.windows) {
    const total = windowTotal(snapshots, asOf - window.lengthMs, leaderboard.value)
    windows[window.name] = total.count === 0 ? null : total.sum / total.count
    if (window.name === leaderboard.rankBy) {
      scoreCount = total.count
      coverage = total.due === 0 ? null : total.answered / total.due
    }
  }
  return { modelId, rank: null, windows, metrics: snapshots.at(-1)?.metrics ?? {}, scoreCount, coverage }
}

/** Adds up the snapshots that lie wholly behind `from`, oldest first: in another order the last bits of a sum would differ. */
function windowTotal(snapshots: readonly Snapshot[], from: Instant, field: string) {
  const total = { sum: 0, count: 0, due: 0, answered: 0 }
  for (let index = firstBehind(snapshots, from); index < snapshots.length; index += 1) {
    const snapshot = snapshots[index] as Snapshot
    const fieldSum = snapshot.sums[field]
    total.sum = addFinite(total.sum, fieldSum?.sum ?? 0)
    total.count += fieldSum?.count ?? 0
    total.due += snapshot.dueCount
    total.answered += snapshot.answeredCount
  }
  return total
}

/** Index of the first snapshot with `periodStart >= from`: a short window passes most of the longest one by. */
function firstBehind(snapshots: readonly Snapshot[], from: Instant): number {
  let low = 0
  let high = snapshots.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((snapshots[middle] as Snapshot).periodStart >= from) high = middle
    else low = middle + 1
  }
  return low
}
