import type { Instant } from '../time.ts'

/** Refusals and exceptions of the contract during a run: their number, and the first reason. */
export interface Refusal {
  /** `inputs`: no round opened. `truths`: the round is void or still waiting. `scores`: the answer counts as missing. */
  readonly what: 'inputs' | 'truths' | 'scores'
  /** Number of refusals. */
  readonly count: number
  /** Number of attempts; `null` if unknown. */
  readonly of: number | null
  /** Includes the author's file and line if the author's code is the cause. */
  readonly reason: string
}

/** A refusal of one schedule that no later successful round has ended. */
export interface StandingRefusal extends Refusal {
  readonly scheduleKey: string
  /** Time of the first refusal: when its round would have opened, or its truth could be known. */
  readonly since: Instant
}

/** The refusals among the scores of one round, with the reason of the first model; `null` if there are none. */
export function refusedScores(
  scores: readonly { readonly modelId: string; readonly reason: string | null }[],
): Omit<Refusal, 'what'> | null {
  const failed = scores.flatMap(({ modelId, reason }) => (reason === null ? [] : [{ modelId, reason }]))
  if (failed.length === 0) return null
  const { reason } = failed.reduce((first, one) => (one.modelId < first.modelId ? one : first))
  return { count: failed.length, of: scores.length, reason }
}
