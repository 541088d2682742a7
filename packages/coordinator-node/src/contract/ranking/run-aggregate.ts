import type { Model } from '../../domain/models/model.ts'
import type { Standing } from '../../domain/models/standing.ts'
import type { Instant } from '../../domain/time.ts'
import { callAuthor, wrongReturn } from '../author-code.ts'
import type { ResolvedContract } from '../resolved-contract.ts'
import { describeReturned } from './describe-returned.ts'
import type { PeriodScores } from './period-scores.ts'
import type { AggregateContext, WindowScore } from './ranking-options.ts'

/** The window of one model: `[start, end)`, with the periods in it. */
export interface ScoredWindow {
  readonly start: Instant
  readonly end: Instant
  /** Oldest first; `null` when the contract aggregates by the mean, which needs sums only. */
  readonly scores: readonly PeriodScores[] | null
}

/**
 * Replaces the value of a standing by that of the contract's aggregate. The standing is unchanged without an aggregate, or if the
 * model's rows have no score. Throws an `AuthorError`.
 */
export function aggregated(
  { contract, newcomers }: ResolvedContract,
  model: Pick<Model, 'id' | 'registeredAt'>,
  standing: Standing,
  { start, end, scores }: ScoredWindow,
): Standing {
  const { leaderboard } = contract
  if (leaderboard.aggregate === undefined || standing.value === null) return standing
  if (scores === null) throw new RangeError('leaderboard.aggregate needs the scores of its windows, one by one')
  const own: WindowScore[] = []
  for (const period of scores) addScores(own, period, model, newcomers === 'worst')
  return { ...standing, value: runAggregate(leaderboard, { scores: own, start, end }, `of model "${model.id}"`) }
}

/** Throws an `AuthorError` for a value that is neither a finite number nor `null`. */
export function runAggregate(
  leaderboard: ResolvedContract['contract']['leaderboard'],
  context: AggregateContext,
  whose: string,
): number | null {
  const { aggregate } = leaderboard
  const author = { path: 'leaderboard.aggregate', owner: leaderboard, run: aggregate as NonNullable<typeof aggregate> }
  const { length } = context.scores
  const given = callAuthor(author, context)
  if (given === null || (typeof given === 'number' && Number.isFinite(given))) return given
  const what = `${describeReturned(given)} for the ${length === 1 ? 'score' : `${length} scores`} ${whose}`
  throw wrongReturn(author, `${what}; it must be a finite number, or null for no value`)
}

/**
 * Adds the score of each round for a model, by the rules of `standingOf`: a round that it missed because it was retired counts as a
 * missing answer; a round before its registration counts as the worst score, or not at all.
 */
function addScores(
  own: WindowScore[],
  { rounds, byModel }: PeriodScores,
  { id, registeredAt }: Pick<Model, 'id' | 'registeredAt'>,
  chargesUnasked: boolean,
): void {
  const rows = byModel.get(id)
  for (const [index, { performedAt, worst, missing }] of rounds.entries()) {
    const row = rows?.[index]
    const charged = performedAt >= registeredAt ? missing : chargesUnasked ? worst : null
    const score = row === undefined ? charged : row
    if (score !== null) own.push(score)
  }
}
