import {
  type Acknowledgement,
  type Checkpoint,
  type CheckpointMove,
  checkpointStatuses,
} from '../../../domain/checkpoint.ts'
import type { Leaderboard } from '../../../domain/leaderboard.ts'
import type { PeriodRounds } from '../../../domain/period-rounds.ts'
import type { Snapshot } from '../../../domain/snapshot.ts'
import type { Instant } from '../../../domain/time.ts'
import type { CheckpointFilter, SnapshotFilter } from '../../../ports/reads/report-reads.ts'
import type { ClosedPeriod, VersionCounts } from '../../../ports/store-periods.ts'
import { compareText } from '../compare-text.ts'
import { unknownCheckpoint } from '../unknown-checkpoint.ts'
import { firstIndex, insertSorted } from './sorted-list.ts'

export interface PeriodTable {
  close(period: ClosedPeriod): boolean
  between(from: Instant, to: Instant): readonly Snapshot[]
  latestMetrics(from: Instant, to: Instant): ReadonlyMap<string, Snapshot['metrics']>
  versionCounts(from: Instant, to: Instant): VersionCounts
  periodsBetween(from: Instant, to: Instant): readonly PeriodRounds[]
  lastEnd(): Instant | null
  lastEndOf(era: number): Instant | null
  latestLeaderboard(until?: Instant): Leaderboard | null
  snapshotReports(filter: SnapshotFilter): readonly Snapshot[]
  addCheckpoint(checkpoint: Checkpoint): boolean
  lastCheckpointEnd(): Instant | null
  /** The beginning of the first checkpoint that waits for an acknowledgement; infinity without one. */
  firstUnacknowledged(): Instant
  /** Removes the oldest periods with `periodEnd <= through` and returns their number. */
  forget(through: Instant, limit: number): number
  acknowledge(id: string, acknowledged: Acknowledgement): Checkpoint
  moveCheckpoint(id: string, move: CheckpointMove): Checkpoint | null
  checkpoints(filter: CheckpointFilter): readonly Checkpoint[]
  rows(): {
    readonly periods: readonly PeriodRounds[]
    readonly snapshots: readonly Snapshot[]
    readonly leaderboards: readonly Leaderboard[]
    readonly checkpoints: readonly Checkpoint[]
  }
}

export function createPeriodTable(): PeriodTable {
  const snapshots: Snapshot[] = []
  const snapshotKeys = new Set<string>()
  const leaderboards: Leaderboard[] = []
  const periods: PeriodRounds[] = []
  const periodEnds = new Set<Instant>()
  const checkpoints: Checkpoint[] = []

  function close({ rounds, snapshots: added, leaderboard }: ClosedPeriod): boolean {
    if (periodEnds.has(leaderboard.asOf)) return false
    const keys = new Set<string>()
    for (const { modelId, periodEnd } of added) {
      const key = `${periodEnd} ${modelId}`
      if (keys.has(key) || snapshotKeys.has(key)) {
        throw new Error(`model "${modelId}" has a snapshot of the period that ends at ${periodEnd} already`)
      }
      keys.add(key)
    }
    periodEnds.add(leaderboard.asOf)
    insertSorted(periods, rounds, (left, right) => left.periodEnd - right.periodEnd)
    insertSorted(leaderboards, leaderboard, (left, right) => left.asOf - right.asOf)
    for (const key of keys) snapshotKeys.add(key)
    for (const snapshot of added) insertSorted(snapshots, snapshot, compareSnapshots)
    return true
  }

  const between = (from: Instant, to: Instant) => within(snapshots, from, to)

  return {
    close,
    snapshotReports: (filter) => newestSnapshots(snapshots, filter),
    between,
    latestMetrics: (from, to) => new Map(between(from, to).map(({ modelId, metrics }) => [modelId, metrics])),
    versionCounts: (from, to) => versionCounts(between(from, to)),
    periodsBetween: (from, to) => within(periods, from, to),
    lastEnd: () => leaderboards.at(-1)?.asOf ?? null,
    lastEndOf: (era) => leaderboards.findLast((leaderboard) => leaderboard.era === era)?.asOf ?? null,
    latestLeaderboard: (until = Number.POSITIVE_INFINITY) => leaderboards.findLast(({ asOf }) => asOf <= until) ?? null,
    addCheckpoint(checkpoint) {
      if (checkpoints.some(({ periodEnd }) => periodEnd === checkpoint.periodEnd)) return false
      insertSorted(checkpoints, checkpoint, (left, right) => left.periodEnd - right.periodEnd)
      return true
    },
    acknowledge: (id, acknowledged) => acknowledge(checkpoints, id, acknowledged),
    moveCheckpoint: (id, move) => moveCheckpoint(checkpoints, id, move),
    lastCheckpointEnd: () => checkpoints.at(-1)?.periodEnd ?? null,
    firstUnacknowledged: () => checkpoints.find(isUnacknowledged)?.periodStart ?? Number.POSITIVE_INFINITY,
    forget: (through, limit) => forget({ periods, leaderboards, snapshots }, through, limit),
    checkpoints({ status, at, from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY, before, limit }) {
      return checkpoints
        .filter((one) => status === undefined || one.status === status)
        .filter((one) => at === undefined || (one.periodStart <= at && at < one.periodEnd))
        .filter(({ periodEnd }) => periodEnd >= from && periodEnd <= to && (before === undefined || periodEnd < before))
        .reverse()
        .slice(0, limit)
    },
    rows: () => ({ periods, snapshots, leaderboards, checkpoints }),
  }
}

function newestSnapshots(
  snapshots: readonly Snapshot[],
  { modelIds, from, to, before = null, limit }: SnapshotFilter,
): readonly Snapshot[] {
  const wanted = new Set(modelIds)
  const newestFirst: Snapshot[] = []
  let index = firstIndex(snapshots, (snapshot) => snapshot.periodEnd > to) - 1
  for (; index >= 0 && newestFirst.length < limit; index -= 1) {
    const snapshot = snapshots[index] as Snapshot
    if (snapshot.periodEnd < from) break
    if (wanted.size > 0 && !wanted.has(snapshot.modelId)) continue
    const difference = before === null ? -1 : snapshot.periodEnd - before.periodEnd
    if (difference < 0 || (difference === 0 && compareText(snapshot.modelId, before?.modelId ?? '') < 0))
      newestFirst.push(snapshot)
  }
  return newestFirst.reverse()
}

function isUnacknowledged({ refusals, acknowledged }: Checkpoint): boolean {
  return refusals.length > 0 && acknowledged === null
}

interface Periods {
  readonly periods: PeriodRounds[]
  readonly leaderboards: Leaderboard[]
  readonly snapshots: Snapshot[]
}

function forget({ periods, leaderboards, snapshots }: Periods, through: Instant, limit: number): number {
  const firstKept = firstIndex(periods, ({ periodEnd }) => periodEnd > through)
  const count = Math.min(limit, firstKept)
  const last = periods[count - 1]
  if (last === undefined) return 0
  periods.splice(0, count)
  leaderboards.splice(0, count)
  const firstSnapshot = firstIndex(snapshots, ({ periodEnd }) => periodEnd > last.periodEnd)
  snapshots.splice(0, firstSnapshot)
  return count
}

/** @param items in order of their ends */
function within<Item extends Pick<PeriodRounds, 'periodStart' | 'periodEnd'>>(
  items: readonly Item[],
  from: Instant,
  to: Instant,
): readonly Item[] {
  const start = firstIndex(items, (item) => item.periodEnd >= from)
  const end = firstIndex(items, (item) => item.periodEnd > to)
  return items.slice(start, Math.max(start, end)).filter((item) => item.periodStart >= from)
}

function versionCounts(snapshots: readonly Snapshot[]): VersionCounts {
  const contractVersions: Record<string, number> = {}
  for (const [version, count] of snapshots.flatMap((snapshot) => Object.entries(snapshot.contractVersions))) {
    contractVersions[version] = (contractVersions[version] ?? 0) + count
  }
  return { snapshotCount: snapshots.length, contractVersions }
}

function acknowledge(checkpoints: Checkpoint[], id: string, acknowledged: Acknowledgement): Checkpoint {
  const index = checkpoints.findIndex((checkpoint) => checkpoint.id === id)
  const found = checkpoints[index]
  if (found === undefined) throw unknownCheckpoint(id)
  const row = { ...found, acknowledged: found.acknowledged ?? acknowledged }
  checkpoints[index] = row
  return row
}

function moveCheckpoint(checkpoints: Checkpoint[], id: string, move: CheckpointMove): Checkpoint | null {
  const from = checkpointStatuses[checkpointStatuses.indexOf(move.to) - 1]
  const index = checkpoints.findIndex((checkpoint) => checkpoint.id === id && checkpoint.status === from)
  const found = checkpoints[index]
  const { transactionId: given } = move
  const isTaken = given !== null && checkpoints.some(({ transactionId }) => transactionId === given)
  if (found === undefined || isTaken) return null
  const moved: Checkpoint = {
    ...found,
    status: move.to,
    transactionId: given ?? found.transactionId,
    submittedAt: move.to === 'SUBMITTED' ? move.at : found.submittedAt,
    moves: [...found.moves, move],
  }
  checkpoints[index] = moved
  return moved
}

function compareSnapshots(left: Snapshot, right: Snapshot): number {
  return left.periodEnd - right.periodEnd || compareText(left.modelId, right.modelId)
}
