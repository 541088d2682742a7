import type { CheckpointRow, LeaderboardRow, ScoreRow, SnapshotRow, StoredRows } from './stored-rows.ts'

// The weather competition's results once more, from its stored answers and scores, in plain arithmetic that shares no code
// with the engine: what a participant could do with an export of the tables.

const dayMs = 86_400_000
const periodMs = 5 * dayMs
const checkpointMs = 365 * dayMs
const windowsMs: Readonly<Record<string, number>> = { recent: 90 * dayMs, steady: 180 * dayMs, anchor: 365 * dayMs }
const tierPercents = [35, 10, 10, 10, 10, 5, 5, 5, 5, 5]

/** One answer of a model, or its lack, in a round that has a truth. */
interface Result {
  readonly modelId: string
  readonly inputId: string
  readonly at: number
  readonly blame: string | null
  readonly status: string
  readonly score: ScoreRow | undefined
}

export type Recomputed = Pick<StoredRows, 'snapshots'> & {
  readonly leaderboards: readonly Omit<LeaderboardRow, 'id'>[]
  readonly checkpoints: readonly Omit<CheckpointRow, 'id' | 'status'>[]
}

/** Every snapshot, leaderboard and checkpoint up to the end of the newest closed period. */
export function recompute(rows: StoredRows): Recomputed {
  const closedThrough = rows.leaderboards.at(-1)?.asOf ?? 0
  const results = resultsOf(rows)
  const ends = new Set(results.map(({ at }) => Math.floor(at / periodMs) * periodMs + periodMs))
  const periodEnds = [...ends].filter((end) => end <= closedThrough).sort((left, right) => left - right)
  const snapshots = periodEnds.flatMap((end) => snapshotsOf(results, end))
  const models = rows.models.map(({ id, registeredAt }) => ({ id, registeredAt }))
  const leaderboards = periodEnds.map((end) => {
    const known = models.filter(({ registeredAt }) => registeredAt < end).map(({ id }) => id)
    return leaderboardOf(known, results, snapshots, end)
  })
  const checkpointEnds = [
    ...new Set(results.map(({ at }) => Math.floor(at / checkpointMs) * checkpointMs + checkpointMs)),
  ]
  const checkpoints = checkpointEnds
    .filter((end) => end <= closedThrough)
    .sort((left, right) => left - right)
    .map((end) => checkpointOf(results, snapshots, end))
  return { snapshots, leaderboards, checkpoints }
}

/** In order of (resolvableAt, input, model), which is that of the rows. */
function resultsOf(rows: StoredRows): readonly Result[] {
  const scores = new Map(rows.scores.map((score) => [score.predictionId, score]))
  const voided = new Set(rows.inputs.filter(({ voidReason }) => voidReason !== null).map(({ id }) => id))
  return rows.predictions
    .filter(({ inputId }) => !voided.has(inputId))
    .map(({ id, modelId, inputId, resolvableAt, blame, status }) => ({
      modelId,
      inputId,
      at: resolvableAt,
      blame,
      status,
      score: scores.get(id),
    }))
}

function totals(results: readonly Result[]) {
  const counted = results.filter(({ score }) => score?.kind === 'valid' || score?.kind === 'imputed')
  const due = results.filter(({ blame }) => blame !== 'coordinator')
  const answered = due.filter(({ status }) => status === 'SCORED')
  const sum = (field: string) => counted.reduce((total, { score }) => total + (score?.value?.[field] as number), 0)
  return { scoreCount: counted.length, dueCount: due.length, answeredCount: answered.length, sum }
}

function mean(results: readonly Result[]): number | null {
  const { scoreCount, sum } = totals(results)
  return scoreCount === 0 ? null : sum('crps') / scoreCount
}

function snapshotsOf(all: readonly Result[], end: number): readonly SnapshotRow[] {
  const results = all.filter(({ at }) => at >= end - periodMs && at < end)
  const modelIds = [...new Set(results.map(({ modelId }) => modelId))].sort()
  return modelIds.map((modelId) => {
    const own = results.filter((result) => result.modelId === modelId)
    const { scoreCount, dueCount, answeredCount, sum } = totals(own)
    const fields = scoreCount === 0 ? [] : ['crps', 'error']
    return {
      id: `SNAP_${modelId}_${new Date(end).toISOString().replace(/[-:Z]/g, '').replace('T', '_')}`,
      modelId,
      periodStart: end - periodMs,
      periodEnd: end,
      scoreCount,
      dueCount,
      answeredCount,
      sums: Object.fromEntries(fields.map((field) => [field, { sum: sum(field), count: scoreCount }])),
      metrics: {
        ic: spearman(valid(own).map(({ signal, actual }) => [signal, actual] as const)),
        model_correlation: correlationWithOthers(modelId, modelIds, results),
      },
    }
  })
}

function valid(results: readonly Result[]) {
  return results.flatMap(({ inputId, score }) =>
    score?.kind === 'valid' && score.signal !== null && score.actual !== null
      ? [{ inputId, signal: score.signal, actual: score.actual }]
      : [],
  )
}

function correlationWithOthers(
  modelId: string,
  modelIds: readonly string[],
  results: readonly Result[],
): number | null {
  const signalsOf = (id: string) => valid(results.filter((result) => result.modelId === id))
  const own = new Map(signalsOf(modelId).map(({ inputId, signal }) => [inputId, signal]))
  const correlations = modelIds.flatMap((other) => {
    if (other === modelId) return []
    const pairs = signalsOf(other).flatMap(({ inputId, signal }) => {
      const mine = own.get(inputId)
      return mine === undefined ? [] : [[mine, signal] as const]
    })
    const value = spearman(pairs)
    return value === null ? [] : [value]
  })
  return correlations.length === 0 ? null : correlations.reduce((sum, value) => sum + value, 0) / correlations.length
}

function spearman(pairs: readonly (readonly [number, number])[]): number | null {
  const left = ranks(pairs.map(([value]) => value))
  const right = ranks(pairs.map(([, value]) => value))
  const middle = (pairs.length + 1) / 2
  const product = (first: readonly number[], second: readonly number[]) =>
    first.reduce((sum, rank, index) => sum + (rank - middle) * ((second[index] ?? 0) - middle), 0)
  const spread = product(left, left) * product(right, right)
  return spread === 0 ? null : product(left, right) / Math.sqrt(spread)
}

/** Equal values share the mean of the places they take. */
function ranks(values: readonly number[]): readonly number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length
    const equal = values.filter((other) => other === value).length
    return below + (equal + 1) / 2
  })
}

function leaderboardOf(
  modelIds: readonly string[],
  results: readonly Result[],
  snapshots: readonly SnapshotRow[],
  asOf: number,
): Omit<LeaderboardRow, 'id'> {
  const entries = modelIds.map((modelId) => {
    const own = results.filter((result) => result.modelId === modelId && result.at < asOf)
    const within = (lengthMs: number) => own.filter(({ at }) => at >= asOf - lengthMs)
    const { scoreCount, dueCount, answeredCount } = totals(within(windowsMs.anchor ?? 0))
    const newest = snapshots.filter(
      (snapshot) =>
        snapshot.modelId === modelId && snapshot.periodEnd <= asOf && snapshot.periodStart >= asOf - checkpointMs,
    )
    return {
      modelId,
      windows: Object.fromEntries(Object.entries(windowsMs).map(([name, lengthMs]) => [name, mean(within(lengthMs))])),
      metrics: newest.at(-1)?.metrics ?? {},
      scoreCount,
      coverage: dueCount === 0 ? null : answeredCount / dueCount,
    }
  })
  return { asOf, rankBy: 'anchor', direction: 'asc', entries: ranked(entries, ({ windows }) => windows.anchor ?? null) }
}

function checkpointOf(
  all: readonly Result[],
  snapshots: readonly SnapshotRow[],
  end: number,
): Omit<CheckpointRow, 'id' | 'status'> {
  const results = all.filter(({ at }) => at >= end - checkpointMs && at < end)
  const entries = ranked(
    [...new Set(results.map(({ modelId }) => modelId))].sort().map((modelId) => {
      const own = results.filter((result) => result.modelId === modelId)
      const { scoreCount, dueCount, answeredCount } = totals(own)
      return { modelId, value: mean(own), scoreCount, dueCount, answeredCount }
    }),
    ({ value }) => value,
  )
  const paid = entries.filter(({ rank }) => rank !== null)
  const claimed = tierPercents.slice(0, paid.length).reduce((sum, percent) => sum + percent, 0)
  const reward = (rank: number) => ((tierPercents[rank - 1] ?? 0) + (100 - claimed) / paid.length) * 10_000_000
  const inPeriod = snapshots.filter(
    ({ periodStart, periodEnd }) => periodStart >= end - checkpointMs && periodEnd <= end,
  )
  return {
    periodStart: end - checkpointMs,
    periodEnd: end,
    snapshotCount: inPeriod.length,
    entries: entries.map((entry) => ({ ...entry, rewardFrac64: entry.rank === null ? 0 : reward(entry.rank) })),
  }
}

/** The lowest value first, the ones without a value last and unranked. */
function ranked<Entry extends { readonly modelId: string }>(
  entries: readonly Entry[],
  valueFor: (entry: Entry) => number | null,
): readonly (Entry & { readonly rank: number | null })[] {
  const withValue = entries.flatMap((entry) => {
    const value = valueFor(entry)
    return value === null ? [] : [{ entry, value }]
  })
  const sorted = withValue.sort((left, right) => left.value - right.value)
  return [
    ...sorted.map(({ entry, value }) => ({ ...entry, rank: 1 + sorted.filter((other) => other.value < value).length })),
    ...entries.filter((entry) => valueFor(entry) === null).map((entry) => ({ ...entry, rank: null })),
  ]
}
