import type { FeedRecord, FeedScope } from '../domain/feed-record.ts'
import type { Json } from '../domain/json/json.ts'
import type { Prediction } from '../domain/prediction.ts'
import type { Round } from '../domain/round.ts'
import type { Score } from '../domain/score.ts'
import type { Instant } from '../domain/time.ts'

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

/** The data known at an instant about a series and its reference series. */
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
  /** The series that it must agree with. */
  readonly peer: FeedScope | null
}

/** What a settling decision changes. The store applies it in the transaction that claimed the round. */
export type RoundSettlement =
  | {
      readonly kind: 'wait'
      readonly reason?: string
      /** As for a void round. `reason` is stored with the round until it is settled. */
      readonly isRefusal?: boolean
    }
  | {
      readonly kind: 'resolved'
      readonly actuals: Json
      readonly scores: readonly Score[]
      /** The ranking value of a missing answer; `null` if the contract gives it none. */
      readonly missingValue: number | null
      /** Predictions that leave PENDING: id and new status. */
      readonly moves: readonly PredictionMove[]
    }
  | {
      readonly kind: 'void'
      readonly reason: string
      /** The contract threw, or returned a value that its schema refuses. Absent: the data are the cause. */
      readonly isRefusal?: boolean
      readonly moves: readonly PredictionMove[]
    }

export interface PredictionMove {
  readonly predictionId: string
  readonly to: 'SCORED' | 'FAILED'
  readonly reason: string | null
  readonly blame: 'model' | 'coordinator' | null
  readonly detail: string | null
}

export interface SettleRequest {
  readonly now: Instant
  /** Maximum number of rounds per call. */
  readonly limit: number
  /** Resume after this round of the same pass; absent: from the start. */
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
  /** Set when `limit` was reached: there may be more rounds after it. */
  readonly next: RoundCursor | null
}

/** Truth and scores. */
export interface SettlementStore {
  /**
   * Claims answered, unresolved rounds whose scope's watermark has reached `resolvableAt`, or that have expired at `now`, in
   * order of (resolvableAt, id), skipping those that another worker holds, and applies `decide` to each, all in one
   * transition. `decide` is synchronous and pure; when it throws, or leaves a prediction of a settled round PENDING, nothing of
   * the call is applied.
   */
  settleRounds(request: SettleRequest, decide: (due: DueRound) => RoundSettlement): Promise<SettleResult>
}
