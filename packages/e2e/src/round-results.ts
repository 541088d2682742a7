import type { ModelRow, ScoreRow, StoredRows } from './stored-rows.ts'

/** Determines which of two scores is worse. */
export interface RankedBy {
  readonly value: string
  readonly direction: 'asc' | 'desc'
}

export interface Sum {
  readonly sum: number
  readonly count: number
}

/** One answer of a model, or its absence, in a round with a truth. */
export interface Result {
  readonly modelId: string
  readonly inputId: string
  /** When the round was performed, and when it resolves. */
  readonly askedAt: number
  readonly at: number
  readonly blame: string | null
  readonly status: string
  readonly score: ScoreRow | undefined
}

/** Ordered by (resolvableAt, input, model), like the rows. */
export function resultsOf(rows: StoredRows): readonly Result[] {
  const scores = new Map(rows.scores.map((score) => [score.predictionId, score]))
  const voided = new Set(rows.inputs.filter(({ voidReason }) => voidReason !== null).map(({ id }) => id))
  return rows.predictions
    .filter(({ inputId }) => !voided.has(inputId))
    .map(({ id, modelId, inputId, resolvableAt, blame, status, performedAt }) => ({
      modelId,
      inputId,
      askedAt: performedAt,
      at: resolvableAt,
      blame,
      status,
      score: scores.get(id),
    }))
}

/** The ranking value of the worst valid answer of each round that has one. */
export function worstOf({ value: field, direction }: RankedBy, results: readonly Result[]): Sum {
  const worst = new Map<string, number>()
  for (const { inputId, score } of results) {
    if (score?.kind !== 'valid') continue
    const value = score.value?.[field] as number
    const before = worst.get(inputId) ?? value
    worst.set(inputId, direction === 'asc' ? Math.max(before, value) : Math.min(before, value))
  }
  return { sum: [...worst.values()].reduce((sum, value) => sum + value, 0), count: worst.size }
}

/** The results of rounds in which a model has no row, before and after its registration. */
export function withoutRow(model: ModelRow, all: readonly Result[]) {
  const own = new Set(all.filter(({ modelId }) => modelId === model.id).map(({ inputId }) => inputId))
  const others = all.filter(({ inputId }) => !own.has(inputId))
  return {
    before: others.filter(({ askedAt }) => askedAt < model.registeredAt),
    since: others.filter(({ askedAt }) => askedAt >= model.registeredAt),
  }
}

/** Whether the rounds span the registration of a model. */
export function registeredBetween({ registeredAt }: ModelRow, all: readonly Result[]): boolean {
  return all.some(({ askedAt }) => askedAt < registeredAt) && all.some(({ askedAt }) => askedAt >= registeredAt)
}

/** Over its scores, and the worst scores of rounds in which it was retired, which count as missing answers. */
export function meanOf(by: RankedBy, model: ModelRow, all: readonly Result[]): number | null {
  const scores = all.flatMap(({ modelId, score }) =>
    modelId === model.id && score !== undefined && score.kind !== 'failed' ? [score.value?.[by.value] as number] : [],
  )
  const missed = worstOf(by, withoutRow(model, all).since)
  if (scores.length === 0) return null
  return (scores.reduce((sum, value) => sum + value, 0) + missed.sum) / (scores.length + missed.count)
}
