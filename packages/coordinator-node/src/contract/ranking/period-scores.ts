import { present } from '../../domain/errors.ts'
import type { Direction } from '../../domain/leaderboard.ts'
import type { Instant } from '../../domain/time.ts'
import type { PeriodResult } from '../../ports/store-periods.ts'

/** How rounds are read: by which field of a score, and which way is worse. */
export interface ScoreField {
  readonly value: string
  readonly direction: Direction
}

/** The individual rounds of a closed period, for rules that need more than its sums. */
export interface PeriodScores {
  /** In order of (resolvableAt, id). */
  readonly rounds: readonly RoundPrices[]
  /** By model, one entry per round: the value of its row, `null` if it has none, `undefined` without a row. */
  readonly byModel: ReadonlyMap<string, readonly (RowScore | null | undefined)[]>
}

interface RoundPrices {
  readonly performedAt: Instant
  readonly resolvableAt: Instant
  /** The worst valid score; `null` if there is none. */
  readonly worst: number | null
  /** The score of a missing answer. */
  readonly missing: number | null
}

interface RowScore {
  readonly value: number
  readonly isValid: boolean
}

/** @param results of one period, in the order of the store */
export function periodScores(field: ScoreField, results: readonly PeriodResult[]): PeriodScores {
  const worst = worstByRound(field, results)
  const indexes = new Map<string, number>()
  const rounds: RoundPrices[] = []
  const byModel = new Map<string, (RowScore | null | undefined)[]>()
  for (const result of results) {
    const { roundId, modelId, performedAt, resolvableAt, missingValue, scoreKind, value } = result
    let index = indexes.get(roundId)
    if (index === undefined) {
      index = rounds.length
      indexes.set(roundId, index)
      rounds.push({ performedAt, resolvableAt, worst: worst.get(roundId) as number | null, missing: missingValue })
    }
    const row = byModel.get(modelId) ?? []
    byModel.set(modelId, row)
    const ranked = scoreKind === 'valid' || scoreKind === 'imputed' ? value?.[field.value] : undefined
    row[index] = typeof ranked === 'number' ? { value: ranked, isValid: scoreKind === 'valid' } : null
  }
  return { rounds, byModel }
}

/** The scores of some periods, one by one; `null` where sums are enough. */
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
