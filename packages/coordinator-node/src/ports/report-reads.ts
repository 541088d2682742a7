import type { Checkpoint, CheckpointStatus } from '../domain/checkpoint.ts'
import type { Leaderboard } from '../domain/leaderboard.ts'
import type { Blame, Prediction, PredictionStatus } from '../domain/prediction.ts'
import type { PipelineProgress } from '../domain/progress/pipeline-progress.ts'
import type { Snapshot } from '../domain/snapshot.ts'
import type { Instant } from '../domain/time.ts'
import type { EraReads } from './store-eras.ts'
import type { ExportReads, PredictionReport } from './store-exports.ts'
import type { FeedReads } from './store-feed.ts'
import type { ModelReads } from './store-models.ts'
import type { ScheduleStore } from './store-rounds.ts'
import type { LeaseState } from './store-workers.ts'

export interface PredictionFilter {
  /** Empty: all models. */
  readonly modelIds: readonly string[]
  /** Bounds on `performedAt`, both inclusive. */
  readonly from: Instant
  readonly to: Instant
  readonly limit: number
}

/** The outcomes of one model's predictions since an instant. */
export interface ModelActivity {
  readonly modelId: string
  readonly counts: Readonly<Record<PredictionStatus, number>>
  /** How often each reason of a missing answer was given. */
  readonly reasons: Readonly<Record<string, number>>
  /** How long valid answers took; `null` without one. Between two answers the percentiles are interpolated. */
  readonly latency: { readonly p50Ms: number; readonly p95Ms: number; readonly maxMs: number } | null
  /** The newest `performedAt`, answered or not. */
  readonly lastPredictionAt: Instant
  /** The newest `performedAt` with a valid answer. */
  readonly lastAnswerAt: Instant | null
  /** The newest missing answer. */
  readonly lastProblem: ModelProblem | null
}

export interface ModelProblem {
  readonly status: PredictionStatus
  readonly reason: string
  readonly blame: Blame | null
  readonly detail: string | null
  /** `performedAt` of the prediction. */
  readonly at: Instant
}

/** What the API and the command line read. */
export interface ReportReads extends EraReads, ExportReads, FeedReads, ModelReads, Pick<ScheduleStore, 'schedules'> {
  /** The newest with `asOf <= until` (default: any); `null` without one. */
  latestLeaderboard(until?: Instant): Promise<Leaderboard | null>
  /** The NEWEST `limit` that match, given oldest first. */
  predictionReports(filter: PredictionFilter): Promise<readonly PredictionReport[]>
  /** Predictions with `since <= performedAt`, for each model that has any, in order of model id. */
  modelActivity(since: Instant): Promise<readonly ModelActivity[]>
  /** The NEWEST `limit` with `from <= periodEnd <= to`, given oldest first. */
  snapshotReports(filter: PredictionFilter): Promise<readonly Snapshot[]>
  /** Newest first. */
  checkpoints(filter: { readonly status?: CheckpointStatus; readonly limit: number }): Promise<readonly Checkpoint[]>
  /** The state of a lease; `null` when it was never taken. */
  leaseState(name: string): Promise<LeaseState | null>
  /** Number of rounds that were opened, are unresolved, and were missed by the coordinator, for status and health. */
  roundCounts(): Promise<RoundCounts>
  /** The progress of each stage. `at` decides which rounds are due and which have expired. */
  pipelineProgress(at: Instant): Promise<PipelineProgress>
  /** The outcome of a whole run. It reads all predictions and scores, so it is too slow for a live node. */
  runFacts(): Promise<RunFacts>
  /** The time of the store's own clock; `null` where it uses that of this process. */
  storeTime(): Promise<Instant | null>
}

export interface RoundCounts {
  readonly openedCount: number
  readonly unresolvedCount: number
  readonly voidCount: number
  readonly missedCount: number
}

/** The facts that determine the outcome of a run. Reasons are those of the first model in the first such round. */
export interface RunFacts {
  readonly modelCount: number
  readonly roundCount: number
  /** Valid answers, including those of void rounds. */
  readonly answeredCount: number
  /** The first row of a model, answered or not. */
  readonly firstRow: Pick<Prediction, 'modelId' | 'reason' | 'detail'> | null
  readonly voidCount: number
  readonly voidReason: string | null
  readonly scoreCount: number
  /** Scores that the contract computed. */
  readonly validCount: number
  /** Scores that the contract could not compute. */
  readonly failedCount: number
  readonly failedReason: string | null
}
