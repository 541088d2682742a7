import type { Instant } from '../../domain/time.ts'

/** The score of one round in a window of a model. */
export interface WindowScore {
  /** The number `leaderboard.value` of the score, or of the score imputed for a missing answer. */
  readonly value: number
  /** `imputed`: for a missing answer, or for a round before the model joined that counts by `leaderboard.newcomers`. */
  readonly kind: 'valid' | 'imputed'
  /** The horizon of the round. */
  readonly resolvableAt: Instant
}

/** What `leaderboard.aggregate` receives: one model's window. */
export interface AggregateContext {
  /** At least one, oldest first. The scores are frozen. */
  readonly scores: readonly WindowScore[]
  /** The window is `[start, end)` on the horizons of its rounds. At a checkpoint it is the checkpoint's period. */
  readonly start: Instant
  /** See `start`. */
  readonly end: Instant
}

/** A model that can be ranked, as `leaderboard.rank` receives it. */
export interface RankableModel<Window extends string = string> {
  /** Id of the model. */
  readonly modelId: string
  /** The value that ranks by default: in the window `rankBy`; at a checkpoint, over the checkpoint's period. */
  readonly value: number
  /** Its value in each window; `null` without a score. At a checkpoint, no window reaches back before its period. */
  readonly windows: Readonly<Record<Window, number | null>>
  /** The share of the rounds behind `value` that it answered, 0 to 1. */
  readonly coverage: number
}

/** What `leaderboard.rank` receives. */
export interface RankContext<Window extends string = string> {
  /** At least one, sorted by id. A copy, which the function may change. */
  readonly models: readonly RankableModel<Window>[]
}

/** An order, best first: the id of each model once. Models that share a rank form a nested list. */
export type Places = readonly (string | readonly string[])[]
