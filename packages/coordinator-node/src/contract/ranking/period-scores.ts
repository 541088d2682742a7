import { present } from '../../domain/errors.ts'
import type { Direction } from '../../domain/leaderboard.ts'
import type { Instant } from '../../domain/time.ts'
import type { PeriodResult } from '../../ports/store-periods.ts'
import type { WindowScore } from './ranking-options.ts'

/** The score field that ranks, and its direction. */
export interface ScoreField {
  readonly value: string
  readonly direction: Direction
}

/** The individual rounds of a closed period, for rules that need more than its sums. */
export interface PeriodScores {
  /** In order of (resolvableAt, id). */
  readonly rounds: readonly RoundPrices[]
  /** By model, one entry per round: the score of its row, `null` if it has none, `undefined` without a row. */
  readonly byModel: ReadonlyMap<string, readonly (WindowScore | null | undefined)[]>
}

/** The scores of a round for a model without a row; `null` if the round does not count. */
interface RoundPrices {
  readonly performedAt: Instant
  /** The worst valid score. */
  readonly worst: WindowScore | null
  /** The score of a missing answer. */
  readonly missing: WindowScore | null
}

/**
 * The scores are frozen, because each one is in several windows.
 * @param results of one period, in the order of the store
 */
export function periodScores(field: ScoreField, results: readonly PeriodResult[]): PeriodScores {
  const worst = worstByRound(field, results)
  const indexes = new Map<string, number>()
  const rounds: RoundPrices[] = []
  const byModel = new Map<string, (WindowScore | null | undefined)[]>()
  for (const { roundId, modelId, performedAt, resolvableAt, missingValue, scoreKind, value } of results) {
    let index = indexes.get(roundId)
    if (index === undefined) {
      const imputed = (price: number | null) => (price === null ? null : windowScore(price, 'imputed', resolvableAt))
      index = rounds.length
      indexes.set(roundId, index)
      rounds.push({ performedAt, worst: imputed(worst.get(roundId) as number | null), missing: imputed(missingValue) })
    }
    const row = byModel.get(modelId) ?? []
    byModel.set(modelId, row)
    const ranked = value?.[field.value]
    const counts = (scoreKind === 'valid' || scoreKind === 'imputed') && typeof ranked === 'number'
    row[index] = counts ? windowScore(ranked, scoreKind, resolvableAt) : null
  }
  return { rounds, byModel }
}

function windowScore(value: number, kind: WindowScore['kind'], resolvableAt: Instant): WindowScore {
  return Object.freeze({ value, kind, resolvableAt })
}

/** The individual scores of some periods; `null` if sums are enough. */
export function scoresIn(
  all: ReadonlyMap<Instant, PeriodScores> | null,
  periods: readonly { readonly periodEnd: Instant }[],
): readonly PeriodScores[] | null {
  return all && periods.map(({ periodEnd }) => present(all.get(periodEnd), `a closed period's scores`))
}

/** The ranking value of the worst valid score of each round, in the order of `results`; `null` if there is none. */
export function worstByRound(
  { value: field, direction }: ScoreField,
  results: readonly PeriodResult[],
): ReadonlyMap<string, number | null> {
  const isWorse = (value: number, other: number) => (direction === 'desc' ? value < other : value > other)
  const worst = new Map<string, number | null>()
  for (const { roundId, scoreKind, value } of results) {
    const known = worst.get(roundId) ?? null
    const ranked = scoreKind === 'valid' ? value?.[field] : undefined
    const isNews = typeof ranked === 'number' && (known === null || isWorse(ranked, known))
    worst.set(roundId, isNews ? ranked : known)
  }
  return worst
}
