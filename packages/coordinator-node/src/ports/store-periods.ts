import type { Acknowledgement, Checkpoint, CheckpointMove } from '../domain/checkpoint.ts'
import type { Json } from '../domain/json/json.ts'
import type { Leaderboard } from '../domain/leaderboard.ts'
import type { PeriodRounds } from '../domain/period-rounds.ts'
import type { PredictionStatus } from '../domain/prediction.ts'
import type { Refusal } from '../domain/progress/refusal.ts'
import type { ScoreKind } from '../domain/score.ts'
import type { Snapshot, SnapshotTotals } from '../domain/snapshot.ts'
import type { Instant } from '../domain/time.ts'

/** The part of a score that snapshots are computed from, with the fields of its prediction that coverage needs. */
export interface PeriodResult {
  readonly modelId: string
  readonly roundId: string
  readonly performedAt: Instant
  readonly resolvableAt: Instant
  /** Of the round: the ranking value that a missing answer scores. */
  readonly missingValue: number | null
  readonly predictionStatus: PredictionStatus
  readonly blame: 'model' | 'coordinator' | null
  /** `null` when the prediction has no score. */
  readonly scoreKind: ScoreKind | null
  readonly value: Readonly<Record<string, Json>> | null
  readonly signal: number | null
  readonly actual: number | null
  /** `null` without a score, or with one from before versions were recorded. */
  readonly contractVersion: number | null
}

export interface ClosedPeriod {
  readonly rounds: PeriodRounds
  readonly snapshots: readonly Snapshot[]
  readonly leaderboard: Leaderboard
}

export interface VersionCounts {
  readonly snapshotCount: number
  readonly contractVersions: Readonly<Record<string, number>>
}

/** Closed snapshot periods, with their leaderboards. */
export interface PeriodStore {
  /** Rounds that are void are left out. `from <= resolvableAt < to`, in order of (resolvableAt, roundId, modelId). */
  periodResults(from: Instant, to: Instant): Promise<readonly PeriodResult[]>
  /**
   * Writes rounds, snapshots and leaderboard of a period, once. `false`: the period was closed already, and nothing was
   * changed. A period that reaches behind the end of its era is refused: `ERA_ENDED`.
   */
  closePeriod(period: ClosedPeriod): Promise<boolean>
  /** Snapshots with `from <= periodStart` and `periodEnd <= to`, in order of (periodEnd, modelId). */
  snapshotsBetween(from: Instant, to: Instant): Promise<readonly Snapshot[]>
  /**
   * The totals of the same snapshots that standings need, in the same order: several times as fast, with a fraction of the memory.
   * @param field the score field used for ranking; sums of other fields may be left out
   */
  snapshotTotals(from: Instant, to: Instant, field: string): Promise<readonly SnapshotTotals[]>
  /** The metrics of the newest such snapshot of each model. */
  latestMetrics(from: Instant, to: Instant): Promise<ReadonlyMap<string, Snapshot['metrics']>>
  /** Number of such snapshots, and number of their scores by version of the contract's code. */
  versionCounts(from: Instant, to: Instant): Promise<VersionCounts>
  /** Closed periods with `from <= periodStart` and `periodEnd <= to`, oldest first. */
  periodsBetween(from: Instant, to: Instant): Promise<readonly PeriodRounds[]>
  /** The truths and scores that the contract refused of rounds with `from <= resolvableAt < to`; what it did not refuse is left out. */
  refusalsBetween(from: Instant, to: Instant): Promise<readonly Refusal[]>
  /** End of the newest closed period; `null` before the first. */
  lastPeriodEnd(): Promise<Instant | null>
}

/** Closed checkpoints. */
export interface CheckpointStore {
  /** Writes a checkpoint, once a period. `false`: it existed already. `ERA_ENDED` as for `closePeriod`. */
  addCheckpoint(checkpoint: Checkpoint): Promise<boolean>
  lastCheckpointEnd(): Promise<Instant | null>
  /**
   * Stores who acknowledged refused scores or truths of a checkpoint, and when; the first acknowledgement stays. Returns the
   * checkpoint, or rejects with `NOT_FOUND`.
   */
  acknowledgeCheckpoint(id: string, acknowledged: Acknowledgement): Promise<Checkpoint>
  /**
   * Moves a checkpoint from the status before `move.to` to that status, with the transaction and its time, and keeps the step: all
   * or nothing. Returns the moved checkpoint; `null` if it has another status or does not exist, or if another
   * checkpoint has the transaction: nothing was changed then.
   */
  moveCheckpoint(id: string, move: CheckpointMove): Promise<Checkpoint | null>
}
