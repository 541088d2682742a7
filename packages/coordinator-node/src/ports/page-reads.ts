import type { Instant } from '../domain/time.ts'

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

export interface PageReads extends RankingReads {}
