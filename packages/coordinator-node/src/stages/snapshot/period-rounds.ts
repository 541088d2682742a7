import { worstByRound } from '../../contract/ranking/period-scores.ts'
import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import type { PeriodRounds } from '../../domain/period-rounds.ts'
import type { FieldSum } from '../../domain/snapshot.ts'
import { addFinite } from '../../domain/statistics/finite-sum.ts'
import type { PeriodResult } from '../../ports/store-periods.ts'
import type { Period } from './next-period.ts'

/** How many rounds a closed period had, and their worst scores. */
export function periodRounds(
  resolved: ResolvedContract,
  { start, end }: Period,
  results: readonly PeriodResult[],
): PeriodRounds {
  const worst = worstByRound(resolved.contract.leaderboard, results)
  return {
    periodStart: start,
    periodEnd: end,
    roundCount: worst.size,
    worst: sumOf([...worst.values()]),
    missing: sumOf([...roundsOf(results).values()].map(({ missingValue }) => missingValue)),
    firstPerformedAt: results.reduce((first, { performedAt }) => Math.min(first, performedAt), end),
  }
}

/** What is known about a round apart from the rows of its models. */
export type RoundFacts = Pick<PeriodResult, 'performedAt' | 'missingValue'>

/** The facts of each round by its id, in the order of `results`. */
export function roundsOf(results: readonly PeriodResult[]): ReadonlyMap<string, RoundFacts> {
  return new Map(results.map((result) => [result.roundId, result]))
}

/** Adds up in the given order: another order would change the last bits. A round without a value adds nothing. */
export function sumOf(values: readonly (number | null)[]): FieldSum {
  const known = values.filter((value) => value !== null)
  return { sum: known.reduce(addFinite, 0), count: known.length }
}
