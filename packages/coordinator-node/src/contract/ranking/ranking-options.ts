import type { Instant } from '../../domain/time.ts'

/** What one round of a window counts for a model. */
export interface WindowScore {
  /** The number `leaderboard.value` of its score, or of the score that its missing answer was given. */
  readonly value: number
  /** `imputed`: of a missing answer, or of a round before it joined that counts by `leaderboard.newcomers`. */
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
  /** What ranks without the function: its value in the window `rankBy`; at a checkpoint, over the checkpoint's period. */
  readonly value: number
  /** Its value in each window; `null` without a score. At a checkpoint, no window reaches back before its period. */
  readonly windows: Readonly<Record<Window, number | null>>
  /** The share of the rounds behind `value` that it answered, 0 to 1. */
  readonly coverage: number
}

/** What `leaderboard.rank` receives. */
export interface RankContext<Window extends string = string> {
  /** At least one, in order of id. A copy: changing it changes nothing. */
  readonly models: readonly RankableModel<Window>[]
}

/** An order, best first: the id of each model once. Models that share a rank are a list of their own. */
export type Places = readonly (string | readonly string[])[]
