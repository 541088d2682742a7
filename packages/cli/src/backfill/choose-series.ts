import { CliError } from '../cli-error.ts'
import { type AnyContract, contractScopes, type FeedScope, feedScopeKey } from '../engine.ts'

/** The options that select a series. */
export interface SeriesChoice {
  readonly source?: string
  readonly subject?: string
  readonly kind?: string
  readonly granularity?: string
}

/**
 * The only series of the contract that matches the given options. If all four are given, any series of a source is accepted.
 * @throws CliError when no series matches, or several do.
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
        : `several series of the contract match: ${shown}`,
    fix: 'choose one with --source, --subject, --kind and --granularity; all four together select any series of a source',
  })
}
