import type { BackfillJob, BackfillStatus } from '../domain/backfill-job.ts'
import type { Checkpoint, CheckpointStatus } from '../domain/checkpoint.ts'
import type { FeedRecord, FeedScope, FeedState, FeedStatus } from '../domain/feed-record.ts'
import type { Json } from '../domain/json/json.ts'
import type { Leaderboard } from '../domain/leaderboard.ts'
import type { Model } from '../domain/models/model.ts'
import type { Reassignment } from '../domain/models/model-history.ts'
import type { PeriodRounds } from '../domain/period-rounds.ts'
import type { Blame, Prediction, PredictionStatus, RecordedAnswers } from '../domain/prediction.ts'
import type { PipelineProgress } from '../domain/progress/pipeline-progress.ts'
import type { Round, Schedule } from '../domain/round.ts'
import type { Score, ScoreKind } from '../domain/score.ts'
import type { Snapshot } from '../domain/snapshot.ts'
import type { Instant } from '../domain/time.ts'
import type { ModelVerbs } from './model-verbs.ts'
import type { EraReads, EraVerbs } from './store-eras.ts'
import type { ExportReads, PredictionReport } from './store-exports.ts'

/** What a batch of records changed. Order within each list is that of the batch. */
export interface AppendedRecords {
  readonly inserted: readonly FeedRecord[]
  /** The same key with the same values, or with those of a revision that is kept already: a no-op. */
  readonly duplicateCount: number
  /** The same key with other values: stored separately and counted; the first record is kept. */
  readonly revisions: readonly FeedRecord[]
}

/** A round that may be settled, with everything that its truth is computed from. */
export interface DueRound {
  readonly round: Round
  /** In order of model id. */
  readonly predictions: readonly Prediction[]
  /** The last record of the round's scope known at `performedAt` (`knownAt <= performedAt`). */
  readonly entry: FeedRecord | null
  /** The last record of the round's scope known at `resolvableAt`. */
  readonly exit: FeedRecord | null
  /** Records with `performedAt < knownAt <= resolvableAt`, oldest first; empty unless asked for. */
  readonly records: readonly FeedRecord[]
  /** The evidence for whether entry and exit can be trusted; `null` unless it was requested for the round's scope. */
  readonly evidence: RoundEvidence | null
}

export interface RoundEvidence {
  /** As of `performedAt`. */
  readonly entry: SeriesEvidence
  /** As of `resolvableAt`. */
  readonly exit: SeriesEvidence
  /** The watermark of the other series; `null` without one, or before its first record. */
  readonly peerWatermarkAt: Instant | null
}

/** What was known at an instant about a series, and about the one that it must agree with. */
export interface SeriesEvidence {
  /** The newest `recordCount`, oldest first. */
  readonly records: readonly FeedRecord[]
  /** The last record of the other series. */
  readonly peer: FeedRecord | null
}

/** For which series evidence is requested, and how much. */
export interface EvidenceRequest {
  readonly scope: FeedScope
  readonly recordCount: number
  /** The series that it has to agree with. */
  readonly peer: FeedScope | null
}

/** What a settling decision changes. The store applies it in the transaction that claimed the round. */
export type RoundSettlement =
  | { readonly kind: 'wait'; readonly reason?: string }
  | {
      readonly kind: 'resolved'
      readonly actuals: Json
      readonly scores: readonly Score[]
      /** The ranking value that a missing answer scores; `null` where the contract gives it none. */
      readonly missingValue: number | null
      /** Predictions that leave PENDING: id and new status. */
      readonly moves: readonly PredictionMove[]
    }
  | { readonly kind: 'void'; readonly reason: string; readonly moves: readonly PredictionMove[] }

export interface PredictionMove {
  readonly predictionId: string
  readonly to: 'SCORED' | 'FAILED'
  readonly reason: string | null
  readonly blame: 'model' | 'coordinator' | null
  readonly detail: string | null
}

/** A position in a series: after the record with this `knownAt` and `eventAt`. */
export interface RecordCursor {
  readonly knownAt: Instant
  readonly eventAt: Instant
}

export interface BackfillMove {
  readonly to: BackfillStatus
  /** Why it failed; `null` otherwise. */
  readonly error: string | null
  readonly at: Instant
}

/** What was fetched since the last one. */
export interface BackfillPage {
  /** Every record before it is written. It never goes back. */
  readonly cursor: Instant
  readonly recordCount: number
  readonly pageCount: number
  readonly at: Instant
}

/** Which records are no longer needed. */
export interface PruneRequest {
  /** Only those with `knownAt < before`. The newest record of a series always stays. */
  readonly before: Instant
  /** Records of a series with an unresolved round stay from this long before the round was performed. */
  readonly keepMs: number
  readonly limit: number
}

export interface SettleRequest {
  readonly now: Instant
  /** Most rounds of one call. */
  readonly limit: number
  /** Resume behind this round of the same pass; absent: from the start. */
  readonly after?: RoundCursor
  /** Whether `records` between entry and exit are wanted. */
  readonly withRecords: boolean
  /** At most one per scope. Without any, settling reads no more than the rounds themselves. */
  readonly evidence: readonly EvidenceRequest[]
}

export interface RoundCursor {
  readonly resolvableAt: Instant
  readonly id: string
}

export interface SettleResult {
  readonly resolvedCount: number
  readonly voidCount: number
  readonly waitingCount: number
  /** Set when `limit` was reached: there may be more behind it. */
  readonly next: RoundCursor | null
}

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

/**
 * The node's memory. Every verb is one atomic transition or one consistent read; what it promises holds for every adapter
 * and is checked by `store.testsuite.ts`. A store that cannot be reached rejects with `STORE_UNAVAILABLE`.
 */
export interface Store extends ReportReads, EraVerbs, ModelVerbs {
  // ── feed ──
  /** Writes new records and moves the watermark of each scope in one transition. A watermark never goes back. */
  appendRecords(records: readonly FeedRecord[]): Promise<AppendedRecords>
  /**
   * Leaves behind what `appendRecords` does, several times as fast for thousands of records of one scope, and does not
   * announce them: they are history. Returns how many were inserted. If it rejects, some records may be written without
   * their revisions: write the same again.
   */
  appendPast(records: readonly FeedRecord[]): Promise<number>
  /** The newest `limit` records of a scope with `knownAt <= knownThrough`, oldest first. */
  latestRecords(scope: FeedScope, limit: number, knownThrough: Instant): Promise<readonly FeedRecord[]>
  /** The oldest `limit` records of a scope behind `after`, in order of (knownAt, eventAt). */
  recordsBehind(scope: FeedScope, after: RecordCursor, limit: number): Promise<readonly FeedRecord[]>
  /** Creates the state row of a scope that has none yet, with status `down` and reason `no data yet`. */
  ensureFeeds(scopes: readonly FeedScope[], at: Instant): Promise<void>
  putFeedStatus(scope: FeedScope, status: FeedStatus, reason: string | null, at: Instant): Promise<void>
  /** The newest watermark of all scopes, which is the current time of a replay; `null` without records. */
  newestWatermark(): Promise<Instant | null>
  /**
   * Deletes up to `limit` records, the oldest first, with their revisions, and returns how many. The counts in the
   * states of the feeds do not change.
   */
  pruneRecords(request: PruneRequest): Promise<number>

  // ── backfill ──
  /** `false`: there is a job with this id, and nothing was changed. */
  addBackfillJob(job: BackfillJob): Promise<boolean>
  /**
   * Gives a job another status, and the reason of a failure. `false`: the job is unknown, or its status does not allow
   * the change.
   */
  moveBackfillJob(id: string, move: BackfillMove): Promise<boolean>
  /** Adds a page to a job that is `running`, after the page was written. `false`: it is not, and nothing was changed. */
  advanceBackfillJob(id: string, page: BackfillPage): Promise<boolean>
  /** Newest first, then in order of id. */
  backfillJobs(): Promise<readonly BackfillJob[]>

  // ── schedule ──
  /** Makes the stored schedules equal to the contract's; a schedule that left the contract stays, inactive. */
  putSchedules(schedules: readonly Schedule[]): Promise<void>

  // ── prediction ──
  /**
   * Writes the row of a new round. `false`: the round exists already, and nothing was changed. Its schedule must be known:
   * `NOT_FOUND`. Its era must be the current one: `ERA_ENDED`. A new one must not end in a period of its era that is closed:
   * `PERIOD_CLOSED`; a period that closes at the same moment is not seen. `LEASE_HELD`: this store took `predictLease`, and
   * another process has taken it over; so for answers.
   */
  openRound(round: Round): Promise<boolean>
  /** The newest `performedAt` of each schedule key that has rounds. */
  lastRoundTimes(): Promise<ReadonlyMap<string, Instant>>
  /**
   * Writes all answers of a round, once; the round and every model must be known: `NOT_FOUND`. None becomes PENDING at or after
   * `resolvableAt`, by `answeredAt` or a live node's database: it is stored as ABSENT, `stored_late`, blamed on us.
   */
  recordAnswers(roundId: string, answeredAt: Instant, predictions: readonly Prediction[]): Promise<RecordedAnswers>
  /** Rounds without answers, oldest first. */
  unansweredRounds(): Promise<readonly Round[]>

  // ── score ──
  /**
   * Claims answered, unresolved rounds whose scope's watermark has reached `resolvableAt`, or that have expired at `now`, in
   * order of (resolvableAt, id), skipping those that another worker holds, and applies `decide` to each, all in one
   * transition. `decide` is synchronous and pure; when it throws, or leaves a prediction of a settled round PENDING, nothing of
   * the call is applied.
   */
  settleRounds(request: SettleRequest, decide: (due: DueRound) => RoundSettlement): Promise<SettleResult>

  // ── snapshot, leaderboard, checkpoint ──
  /** The earliest `resolvableAt >= from` of any round; `null` without one. */
  firstResolvableAt(from: Instant): Promise<Instant | null>
  /** Whether a round with `resolvableAt < before` is still unresolved. */
  hasUnresolvedRounds(before: Instant): Promise<boolean>
  /** Rounds that are void are left out. `from <= resolvableAt < to`, in order of (resolvableAt, roundId, modelId). */
  periodResults(from: Instant, to: Instant): Promise<readonly PeriodResult[]>
  /**
   * Writes rounds, snapshots and leaderboard of a period, once. `false`: the period was closed already, and nothing was
   * changed. A period that reaches behind the end of its era is refused: `ERA_ENDED`.
   */
  closePeriod(period: ClosedPeriod): Promise<boolean>
  /** Snapshots with `from <= periodStart` and `periodEnd <= to`, in order of (periodEnd, modelId). */
  snapshotsBetween(from: Instant, to: Instant): Promise<readonly Snapshot[]>
  /** Closed periods with `from <= periodStart` and `periodEnd <= to`, oldest first. */
  periodsBetween(from: Instant, to: Instant): Promise<readonly PeriodRounds[]>
  /** End of the newest closed period; `null` before the first. */
  lastPeriodEnd(): Promise<Instant | null>
  /** Writes a checkpoint, once a period. `false`: it existed already. `ERA_ENDED` as for `closePeriod`. */
  addCheckpoint(checkpoint: Checkpoint): Promise<boolean>
  lastCheckpointEnd(): Promise<Instant | null>

  // ── workers ──
  /**
   * Hands every record inserted from now on to `listener`, in order of insertion, whichever process inserted it.
   * The returned function ends it. Only stores opened with `announceRecords` announce what they insert to other processes.
   */
  subscribeRecords(listener: (records: readonly FeedRecord[]) => void): Promise<() => Promise<void>>
  /**
   * Takes the named lease for as long as this store is open and reachable; `null` while another process holds it.
   * It is free at once when its holder dies, and within 30 s when the way to its holder is broken; the holder has then stopped
   * by itself. Once another process has taken over `predictLease`, whatever a predict worker writes (schedules, models and
   * their retirements, rounds, answers, signs of life) is refused to the store that took it before: `LEASE_HELD`.
   */
  takeLease(name: string): Promise<Lease | null>
  /** Stores a worker's heartbeat. The newest one of a worker counts, whichever process wrote it. */
  beat(heartbeat: WorkerBeat): Promise<void>

  /**
   * Reads in parallel to all other calls, never queued behind them: rejects with `STORE_UNAVAILABLE` and a reason once
   * `limitMs` have passed, whatever the database does. Nothing continues after that.
   */
  probe<Result>(limitMs: number, read: (reads: ReportReads) => Promise<Result>): Promise<Result>

  /** Ends connections. Calls after it reject. */
  close(): Promise<void>
}

/** A worker says that it is alive. */
export interface WorkerBeat {
  readonly worker: string
  /** The next one comes within this time, unless the worker is stuck. */
  readonly nextWithinMs: number
  /** Whether it has finished a pass over its work since the last one. */
  readonly hasWorked: boolean
}

/** The lease of the one process that opens rounds. */
export const predictLease = 'predict'

export interface Lease {
  /** Resolves with the reason when it was lost other than by `release` or `close`. */
  readonly lost: Promise<string>
  /** Its previous state, when its last holder did not release it. */
  readonly takenFrom: LeaseState | null
  release(): Promise<void>
}

export interface LeaseState {
  /** Host and process; `null`: it was released. */
  readonly holder: string | null
  readonly takenAt: Instant
  /** When its holder last wrote a heartbeat, or released it. */
  readonly heartbeatAt: Instant
  /** How long ago that is, by the store's own clock. */
  readonly silentMs: number
}

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
export interface ReportReads extends EraReads, ExportReads {
  /** In order of scope key. */
  feedStates(): Promise<readonly FeedState[]>
  /** In order of id. */
  models(): Promise<readonly Model[]>
  /** In order of model id, each id's in the order in which they were made. */
  reassignments(): Promise<readonly Reassignment[]>
  /** Active ones, in the contract's order. */
  schedules(): Promise<readonly Schedule[]>
  /** The newest; `null` before the first. */
  latestLeaderboard(): Promise<Leaderboard | null>
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
  /** How many rounds were opened, are unresolved and were missed by us, for status and health. */
  roundCounts(): Promise<RoundCounts>
  /** How far each stage has come. `at` decides which rounds are due and which have expired. */
  pipelineProgress(at: Instant): Promise<PipelineProgress>
  /** The time of the store's own clock; `null` where it uses that of this process. */
  storeTime(): Promise<Instant | null>
}

export interface RoundCounts {
  readonly openedCount: number
  readonly unresolvedCount: number
  readonly voidCount: number
  readonly missedCount: number
}
