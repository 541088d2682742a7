import type { Checkpoint, CheckpointStatus } from '../../domain/checkpoint.ts'
import type { FeedScope } from '../../domain/feed-record.ts'
import type { Leaderboard } from '../../domain/leaderboard.ts'
import type { Blame, Prediction, PredictionStatus } from '../../domain/prediction.ts'
import type { PipelineProgress } from '../../domain/progress/pipeline-progress.ts'
import type { Round } from '../../domain/round.ts'
import type { Snapshot } from '../../domain/snapshot.ts'
import type { Instant } from '../../domain/time.ts'
import type { BackfillStore } from '../store-backfill.ts'
import type { EraReads } from '../store-eras.ts'
import type { ExportReads, PredictionCursor, PredictionExport } from '../store-exports.ts'
import type { FeedReads, FeedStore } from '../store-feed.ts'
import type { KeyReads } from '../store-keys.ts'
import type { ModelReads } from '../store-models.ts'
import type { PeriodStore } from '../store-periods.ts'
import type { ScheduleStore } from '../store-rounds.ts'
import type { LeaseState } from '../store-workers.ts'
import type { PageReads } from './page-reads.ts'

export interface PredictionFilter {
  /** Empty: all models. */
  readonly modelIds: readonly string[]
  /** Bounds on `performedAt`, both inclusive. */
  readonly from: Instant
  readonly to: Instant
  /** Only what comes before it in the order of (performedAt, roundId, modelId); `null` or absent: all. */
  readonly before?: PredictionCursor | null
  readonly limit: number
}

/** A position in all snapshots, which are in order of (periodEnd, modelId). */
export interface SnapshotCursor {
  readonly periodEnd: Instant
  readonly modelId: string
}

/** `from` and `to` are bounds on `periodEnd`. */
export interface SnapshotFilter extends Omit<PredictionFilter, 'before'> {
  readonly before?: SnapshotCursor | null
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

/** A missing or invalid answer of a model. */
export type ModelFailure = Pick<
  Prediction,
  'roundId' | 'performedAt' | 'status' | 'reason' | 'blame' | 'detail' | 'durationMs'
>

export interface FailureFilter {
  readonly modelId: string
  /** The least `performedAt`. */
  readonly since: Instant
  /** The greatest `performedAt`; absent: any. */
  readonly until?: Instant | undefined
  /** Only what comes before it in the order of (performedAt, roundId); `null` or absent: all. */
  readonly before?: Omit<PredictionCursor, 'modelId'> | null
  readonly limit: number
}

/** A span of time and the models in it. */
export interface ModelSpan {
  /** Empty: all models. */
  readonly modelIds: readonly string[]
  readonly from: Instant
  readonly to: Instant
}

export interface ScoreSpan extends ModelSpan {
  /** The width of a cell; cells begin at multiples of it since 1970. */
  readonly cellMs: number
  /** The numeric field of the score to add up. */
  readonly field: string
}

/** The scores of one model for one kind of question within a cell of time. Imputed scores are included. */
export interface ScoreSum {
  readonly modelId: string
  readonly scheduleKey: string
  readonly scope: FeedScope
  readonly horizonMs: number
  readonly stepMs: number
  /** The end of the cell. */
  readonly cellEnd: Instant
  readonly sum: number
  readonly count: number
}

/** A round with all its predictions, in order of model id, or with that of one model. */
export interface RoundReport {
  readonly round: Round
  readonly predictions: readonly PredictionExport[]
}

/** Reads of series and of single rows. */
export interface SeriesReads {
  /** The leaderboards with these `asOf`, oldest first, each with the entries of these models alone (empty: of all). */
  leaderboardsAt(ends: readonly Instant[], modelIds: readonly string[]): Promise<readonly Leaderboard[]>
  /** The snapshots with these `periodEnd` of these models (empty: of all), in order of (periodEnd, modelId). */
  snapshotsAt(ends: readonly Instant[], modelIds: readonly string[]): Promise<readonly Snapshot[]>
  /** The newest snapshot of each model with `from <= periodEnd <= to`, in order of model id. */
  newestSnapshots(span: ModelSpan): Promise<readonly Snapshot[]>
  /** Rounds with `from <= resolvableAt < to`, in order of (cellEnd, modelId, scheduleKey). Cells without a score are left out. */
  scoreSums(span: ScoreSpan): Promise<readonly ScoreSum[]>
  /** `null` for an unknown round; with a model, only its prediction. */
  roundReport(id: string, modelId?: string): Promise<RoundReport | null>
  snapshot(id: string): Promise<Snapshot | null>
  checkpoint(id: string): Promise<Checkpoint | null>
}

export interface CheckpointFilter {
  readonly status?: CheckpointStatus
  /** Within the period, which is half-open. */
  readonly at?: Instant
  /** Bounds on `periodEnd`, both inclusive. */
  readonly from?: Instant
  readonly to?: Instant
  /** Only those with an earlier `periodEnd`. */
  readonly before?: Instant | undefined
  readonly limit: number
}

/** What the API and the command line read. */
export interface ReportReads
  extends EraReads,
    ExportReads,
    FeedReads,
    KeyReads,
    ModelReads,
    PageReads,
    SeriesReads,
    Pick<BackfillStore, 'backfillJobs'>,
    Pick<FeedStore, 'latestRecords'>,
    Pick<PeriodStore, 'periodsBetween'>,
    Pick<ScheduleStore, 'schedules'> {
  /** The newest with `asOf <= until` (default: any); `null` without one. */
  latestLeaderboard(until?: Instant): Promise<Leaderboard | null>
  /** A text that changes whenever {@link latestLeaderboard} or a model does. It is read in far less time than these. */
  leaderboardVersion(until?: Instant): Promise<string>
  /** The NEWEST `limit` that match, given oldest first. */
  predictionReports(filter: PredictionFilter): Promise<readonly PredictionExport[]>
  /** Predictions with `since <= performedAt`, for each model that has any, in order of model id. */
  modelActivity(since: Instant): Promise<readonly ModelActivity[]>
  /** The NEWEST `limit` predictions of a model that are FAILED or ABSENT, given oldest first. */
  modelFailures(filter: FailureFilter): Promise<readonly ModelFailure[]>
  /** The NEWEST `limit` with `from <= periodEnd <= to`, given oldest first. */
  snapshotReports(filter: SnapshotFilter): Promise<readonly Snapshot[]>
  /** Newest first. */
  checkpoints(filter: CheckpointFilter): Promise<readonly Checkpoint[]>
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
