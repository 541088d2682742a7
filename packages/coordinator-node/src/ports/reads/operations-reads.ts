import type { Instant } from '../../domain/time.ts'

/** What the stages have finished in a span of time. */
export interface StageActivity {
  /** Records that became known in it, of all series. */
  readonly recordCount: number
  /** Rounds asked in it. */
  readonly roundCount: number
  /** Those of them whose answers are stored. */
  readonly answeredRoundCount: number
  /** When the newest of these answers were stored. */
  readonly lastAnsweredAt: Instant | null
  readonly validAnswerCount: number
  /** How long their valid answers took, interpolated; `null` without one. */
  readonly latency: {
    readonly p50Ms: number
    readonly p95Ms: number
    readonly p99Ms: number
    readonly maxMs: number
  } | null
  /** Reasons of their missing and invalid answers. */
  readonly answerReasons: Readonly<Record<string, number>>
  /** Rounds whose truth could be known in it and that have a result, and the newest such time. */
  readonly settledCount: number
  readonly lastSettled: Instant | null
  /** Those of them that are void. */
  readonly voidCount: number
  /** Closed periods, each with its snapshots and its leaderboard, and checkpoints that end in it. */
  readonly periodCount: number
  readonly checkpointCount: number
}

export interface TableSize {
  readonly table: string
  /** With its indexes. */
  readonly bytes: number
  /** The database's own estimate; `null` before its first. */
  readonly rowCount: number | null
}

/** Reads for operators. */
export interface OperationsReads {
  /** Both bounds are inclusive. The cost grows with the span, not with history. */
  stageActivity(from: Instant, to: Instant): Promise<StageActivity>
  /** Largest first; empty where nothing is stored in a database. */
  tableSizes(): Promise<readonly TableSize[]>
}
