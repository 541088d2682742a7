import { isRetired, type PredictionRow, type StoredRows } from './stored-rows.ts'

// Invariants of the rows of every deployment, after any faults. Each check returns one line per violation.

/** The counts of a schedule. */
export interface ScheduleCounts {
  readonly key: string
  readonly opened: number
  readonly missed: number
}

/** Every round has exactly one row per model that took part at its instant, and every row has a round. */
export function wrongAnswerRows({ models, inputs, predictions }: StoredRows): readonly string[] {
  const answered = byInput(predictions)
  const known = new Set(inputs.map(({ id }) => id))
  const strays = predictions.filter(({ inputId }) => !known.has(inputId)).map(({ id }) => `${id} belongs to no round`)
  const wrong = inputs.flatMap(({ id, performedAt, answeredAt }) => {
    if (answeredAt === null) return [`${id} was never answered`]
    const expected = models
      .filter((model) => model.registeredAt <= performedAt && !isRetired(model, performedAt))
      .map((model) => model.id)
    const found = (answered.get(id) ?? []).map(({ modelId }) => modelId).sort()
    return found.join() === expected.join() ? [] : [`${id} has rows of models ${found}, not of ${expected}`]
  })
  return [...strays, ...wrong]
}

/** Each schedule's rounds lie on its grid, and the next round counts every cell without a round as missed. */
export function uncountedRounds(
  rows: StoredRows,
  counts: readonly ScheduleCounts[],
  everyMs: number,
): readonly string[] {
  return counts.flatMap(({ key, opened, missed }) => {
    const rounds = rows.inputs
      .filter(({ scheduleKey }) => scheduleKey === key)
      .sort((left, right) => left.performedAt - right.performedAt)
    const gaps = rounds.slice(1).flatMap(({ id, performedAt, missedBefore }, index) => {
      const before = rounds[index]?.performedAt ?? performedAt
      const missing = (performedAt - before) / everyMs - 1
      return missing === missedBefore ? [] : [`${id} counts ${missedBefore} missed rounds before it, not ${missing}`]
    })
    const counted = rounds.reduce((sum, { missedBefore }) => sum + missedBefore, 0)
    const isCounted = opened === rounds.length && missed === counted
    return isCounted
      ? gaps
      : [...gaps, `${key} counts ${opened} rounds and ${missed} missed, not ${rounds.length} and ${counted}`]
  })
}

/** Exactly the rounds due by `watermark` are settled, and every missing answer has a reason and a blame. */
export function unsettledRows({ inputs, predictions }: StoredRows, watermark: number): readonly string[] {
  const rounds = inputs.flatMap(({ id, resolvableAt, status, voidReason }) => {
    const expected = resolvableAt <= watermark || voidReason !== null ? 'RESOLVED' : 'RECEIVED'
    return status === expected ? [] : [`${id} is ${status}`]
  })
  const answers = predictions.flatMap(({ id, status, reason, blame, resolvableAt }) => {
    const isMissing = status === 'FAILED' || status === 'ABSENT'
    if (status === 'PENDING' && resolvableAt <= watermark) return [`${id} is still PENDING`]
    return isMissing === (reason !== null) && isMissing === (blame !== null)
      ? []
      : [`${id}: ${status} ${reason} ${blame}`]
  })
  return [...rounds, ...answers]
}

export function byInput(predictions: readonly PredictionRow[]): ReadonlyMap<string, readonly PredictionRow[]> {
  const groups = new Map<string, PredictionRow[]>()
  for (const prediction of predictions) {
    const group = groups.get(prediction.inputId)
    if (group === undefined) groups.set(prediction.inputId, [prediction])
    else group.push(prediction)
  }
  return groups
}
