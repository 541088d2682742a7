import type { Checkpoint, CheckpointEntry } from '../../domain/checkpoint.ts'
import type { FeedScope } from '../../domain/feed-record.ts'
import type { Direction } from '../../domain/leaderboard.ts'
import type { Blame, PredictionStatus } from '../../domain/prediction.ts'
import type { Round, RoundState } from '../../domain/round.ts'
import type { Instant } from '../../domain/time.ts'
import type { OperationsReads } from './operations-reads.ts'

// Reads of the web page: parts of rows, for many periods or rounds at a time.

/** A model on a leaderboard. */
export interface BoardPlace {
  readonly modelId: string
  readonly rank: number | null
  /** Of the window by which the board ranks. */
  readonly value: number | null
}

/** The ranks of a leaderboard without its other columns. */
export interface BoardRanking {
  readonly asOf: Instant
  readonly era: number
  readonly rankBy: string
  /** In display order. */
  readonly places: readonly BoardPlace[]
}

export interface PeriodSpan {
  /** Both inclusive. */
  readonly from: Instant
  readonly to: Instant
  readonly limit: number
}

/** Reads of closed periods. */
export interface RankingReads {
  /** The ends of the NEWEST `limit` closed periods with `from <= periodEnd <= to`, oldest first. */
  periodEnds(span: PeriodSpan): Promise<readonly Instant[]>
  /** The ranks on the leaderboards with these `asOf`, oldest first. */
  rankingsAt(ends: readonly Instant[]): Promise<readonly BoardRanking[]>
}

export interface RoundFilter {
  /** Bounds on `performedAt`, both inclusive. */
  readonly from: Instant
  readonly to: Instant
  readonly state?: RoundState | undefined
  readonly scheduleKey?: string | undefined
  /** Only these parts of the series must match. */
  readonly scope: { readonly [Part in keyof FeedScope]?: string | undefined }
  /** Only rounds behind this one in the order of the list; `null`: from the first. */
  readonly after: Pick<Round, 'performedAt' | 'id'> | null
  readonly limit: number
  /** The score field and the direction by which one model is the best of a round. */
  readonly bestBy: { readonly field: string; readonly direction: Direction }
}

/** A round without its input, with what became of its answers. */
export interface RoundSummary {
  readonly round: Omit<Round, 'input'>
  /** Number of predictions by status. */
  readonly counts: Readonly<Record<PredictionStatus, number>>
  /** When its answers were scored; `null` for a round without scores. */
  readonly scoredAt: Instant | null
  /** The model with the best valid score that is a number, by id among equal ones; `null` without one. */
  readonly best: { readonly modelId: string; readonly value: number } | null
}

export interface RoundListReads {
  /** NEWEST first: in descending order of (performedAt, id). */
  roundSummaries(filter: RoundFilter): Promise<readonly RoundSummary[]>
}

export interface BucketSpan {
  readonly scope: FeedScope
  /** Of `eventAt`: `from <= eventAt < to`. */
  readonly from: Instant
  readonly to: Instant
  /** The width of a bucket; buckets begin at multiples of it since 1970. */
  readonly bucketMs: number
}

/** One numeric field of the records of a series within a bucket of time. */
export interface FieldBucket {
  readonly start: Instant
  readonly field: string
  readonly count: number
  /** By `eventAt`. */
  readonly first: number
  readonly last: number
  readonly min: number
  readonly max: number
  readonly sum: number
}

export interface FeedSeriesReads {
  /** In order of (start, field). Buckets without records, and fields that are no numbers, are left out. */
  fieldBuckets(span: BucketSpan): Promise<readonly FieldBucket[]>
}

/** What became of the predictions of one model. */
export interface OutcomeSpan {
  readonly modelId: string
  /** Bounds on `performedAt`, both inclusive. */
  readonly from: Instant
  readonly to: Instant
  /** The width of a cell; cells begin at multiples of it since 1970. */
  readonly cellMs: number
}

/** Equal outcomes within a cell of time. */
export interface OutcomeCount {
  readonly cellStart: Instant
  readonly status: PredictionStatus
  readonly reason: string | null
  readonly blame: Blame | null
  readonly count: number
}

export interface ModelOutcomes {
  /** In order of (cellStart, status, reason, blame), without a reason or a blame last. */
  readonly counts: readonly OutcomeCount[]
  /** The 5, 25, 50, 75, 95, 99 and 100 % quantiles of `durationMs` of valid answers; `null` without one. */
  readonly latencyMs: readonly number[] | null
}

export const latencyShares = [0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1] as const

export interface PayoutFilter {
  readonly modelId: string
  /** Only checkpoints with `periodEnd < before`. */
  readonly before: Instant
  readonly limit: number
}

/** A checkpoint with the entry of one model. */
export interface ModelPayout {
  readonly checkpoint: Pick<
    Checkpoint,
    'id' | 'era' | 'periodStart' | 'periodEnd' | 'status' | 'transactionId' | 'submittedAt'
  >
  readonly entry: CheckpointEntry
}

/** Reads about one model. */
export interface OneModelReads {
  modelOutcomes(span: OutcomeSpan): Promise<ModelOutcomes>
  /** NEWEST first. Checkpoints without the model are left out. */
  modelPayouts(filter: PayoutFilter): Promise<readonly ModelPayout[]>
}

export interface PageReads extends OperationsReads, RankingReads, RoundListReads, FeedSeriesReads, OneModelReads {}
