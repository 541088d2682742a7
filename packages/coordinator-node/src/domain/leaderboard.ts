import type { Instant } from './time.ts'

export type Direction = 'asc' | 'desc'

export interface LeaderboardEntry {
  readonly modelId: string
  /** 1 is best; equal values share a rank; `null` for a model without a value. */
  readonly rank: number | null
  /** The mean score of each window; `null` without data. */
  readonly windows: Readonly<Record<string, number | null>>
  /** The metrics of the newest snapshot. */
  readonly metrics: Readonly<Record<string, number | null>>
  /** Scores in the ranking window. */
  readonly scoreCount: number
  /** Answered / due in the ranking window; `null` when nothing was due. */
  readonly coverage: number | null
}

/** The ranks when a snapshot period closed. One a period; never changes once written. */
export interface Leaderboard {
  readonly id: string
  /** End of the newest period in it. */
  readonly asOf: Instant
  readonly rankBy: string
  readonly direction: Direction
  readonly entries: readonly LeaderboardEntry[]
}
