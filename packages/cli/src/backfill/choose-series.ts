import { CliError } from '../cli-error.ts'
import { type AnyContract, contractScopes, type FeedScope, feedScopeKey } from '../engine.ts'

/** The parts of a series that were named. */
export interface SeriesChoice {
  readonly source?: string
  readonly subject?: string
  readonly kind?: string
  readonly granularity?: string
}

/**
 * The one series that is meant: that of the contract which fits what was named, or, with all four parts named, any.
 * @throws CliError when none or several fit.
 */
export function chooseSeries(contract: AnyContract, choice: SeriesChoice): FeedScope {
  const { source, subject, kind, granularity } = choice
  const all = contractScopes(contract)
  const fitting = all.filter(
    (scope) =>
      scope.source === (source ?? scope.source) &&
      scope.subject === (subject ?? scope.subject) &&
      scope.kind === (kind ?? scope.kind) &&
      scope.granularity === (granularity ?? scope.granularity),
  )
  const [only, second] = fitting
  if (only !== undefined && second === undefined) return only
  if (source !== undefined && subject !== undefined && kind !== undefined && granularity !== undefined) {
    return { source, subject, kind, granularity }
  }
  const shown = (only === undefined ? all : fitting).map(feedScopeKey).join(', ')
  throw new CliError({
    place: 'crunch backfill',
    cause:
      only === undefined
        ? `the contract has no such series; it has ${shown}`
        : `several series of the contract are meant: ${shown}`,
    fix: 'choose one with --source, --subject, --kind and --granularity; all four together select any series of a source',
  })
}
