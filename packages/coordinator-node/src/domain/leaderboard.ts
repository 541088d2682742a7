import type { Instant } from './time.ts'

export type Direction = 'asc' | 'desc'

/**
 * How a board treats a model that registered within the window.
 * wait: it has no rank until it has answered enough of all rounds. worst: the rounds before score as the round's worst valid
 * score. own: they do not count.
 */
export type NewcomerPolicy = 'wait' | 'worst' | 'own'

/**
 * Why a model has no rank. no_data: no valid answer in the window. no_value: the contract's own aggregate gives it none.
 * waiting: it answers, but has not been registered for enough of the window's rounds yet. low_coverage: it left too many of
 * its own rounds unanswered.
 */
export type UnrankedReason = 'baseline' | 'organizer' | 'retired' | 'no_data' | 'no_value' | 'waiting' | 'low_coverage'

export interface LeaderboardEntry {
  readonly modelId: string
  /** 1 is best; equal values share a rank; `null` for a model that is not ranked. */
  readonly rank: number | null
  /** `null` for a ranked model. */
  readonly unrankedReason: UnrankedReason | null
  /** The value of each window, by default the mean score; `null` without one. */
  readonly windows: Readonly<Record<string, number | null>>
  /** The metrics of the newest snapshot. */
  readonly metrics: Readonly<Record<string, number | null>>
  /** Scores in the ranking window, those given to missing answers included. */
  readonly scoreCount: number
  /** Rounds of the ranking window in which it has a valid score, not an imputed one. */
  readonly validCount: number
  /** All rounds of the ranking window, but those that count neither for nor against it. */
  readonly roundCount: number
  /** `validCount / roundCount`; `null` without a round. */
  readonly coverage: number | null
}

/** The ranks when a snapshot period closed. One a period; never changes once written. */
export interface Leaderboard {
  readonly id: string
  /** All its windows are within this era. */
  readonly era: number
  /** End of the newest period in it. */
  readonly asOf: Instant
  readonly rankBy: string
  readonly direction: Direction
  /**
   * In display order: ranked models and baselines by value, then models that wait, models without data, and retired ones. If the
   * contract defines the order: ranked models by rank, then baselines.
   */
  readonly entries: readonly LeaderboardEntry[]
}
