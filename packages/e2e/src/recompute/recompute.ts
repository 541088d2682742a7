import { meanOf, type Result, registeredBetween, resultsOf, withoutRow, worstOf } from '../round-results.ts'
import {
  type CheckpointRow,
  isRetired,
  type LeaderboardRow,
  type ModelRow,
  type SnapshotRow,
  type StoredRows,
} from '../stored-rows.ts'
import { spearman } from './spearman.ts'

// Recomputes a competition's results from its stored answers and scores, in plain arithmetic without code of the engine: what
// a participant could do with an export of the tables.

const tierPercents = [35, 10, 10, 10, 10, 5, 5, 5, 5, 5]
const organizer = 'organizer'
/** Tests with a recomputation have only one era. */
const onlyEra = 1

/** The rules of a contract that determine its results. */
export interface Competition {
  readonly periodMs: number
  readonly checkpointMs: number
  readonly windowsMs: Readonly<Record<string, number>>
  readonly rankBy: string
  readonly direction: 'asc' | 'desc'
  /** The score field that windows are means of. */
  readonly value: string
  /** All score fields that are numbers. */
  readonly scoreFields: readonly string[]
  /** The organizer's model that participants must beat to be paid. */
  readonly baseline: string
  /** The share of all rounds that a model must have answered to be ranked, and to be paid. */
  readonly rankedFrom: number
  readonly paidFrom: number
}

const dayMs = 86_400_000

/** The weather pack's, with `shortWeatherPeriods`. */
export const shortWeatherCompetition: Competition = {
  periodMs: 5 * dayMs,
  checkpointMs: 50 * dayMs,
  windowsMs: { recent: 20 * dayMs, steady: 40 * dayMs, anchor: 80 * dayMs },
  rankBy: 'anchor',
  direction: 'asc',
  value: 'crps',
  scoreFields: ['crps', 'error'],
  baseline: 'climatology',
  rankedFrom: 0.8,
  paidFrom: 0.5,
}

export type Recomputed = Pick<StoredRows, 'snapshots'> & {
  readonly leaderboards: readonly Omit<LeaderboardRow, 'id'>[]
  readonly checkpoints: readonly Omit<CheckpointRow, 'id' | 'status'>[]
}

/** Every snapshot, leaderboard and checkpoint up to the end of the newest closed period. */
export function recompute(rows: StoredRows, competition: Competition): Recomputed {
  const { periodMs, checkpointMs } = competition
  const closedThrough = rows.leaderboards.at(-1)?.asOf ?? 0
  const results = resultsOf(rows)
  const ends = new Set(results.map(({ at }) => Math.floor(at / periodMs) * periodMs + periodMs))
  const periodEnds = [...ends].filter((end) => end <= closedThrough).sort((left, right) => left - right)
  const snapshots = periodEnds.flatMap((end) => snapshotsOf(competition, rows.models, results, end))
  const leaderboards = periodEnds.map((end) => {
    const known = rows.models.filter(({ registeredAt }) => registeredAt < end)
    return leaderboardOf(competition, known, results, snapshots, end)
  })
  const checkpointEnds = [
    ...new Set(results.map(({ at }) => Math.floor(at / checkpointMs) * checkpointMs + checkpointMs)),
  ]
  // The last period of a checkpoint may have had no rounds and therefore no leaderboard.
  const paidThrough = Math.max(closedThrough, rows.checkpoints.at(-1)?.periodEnd ?? 0)
  const checkpoints = checkpointEnds
    .filter((end) => end <= paidThrough)
    .sort((left, right) => left - right)
    .map((end) => checkpointOf(competition, rows.models, results, snapshots, end))
  return { snapshots, leaderboards, checkpoints }
}

function totals(results: readonly Result[]) {
  const counted = results.filter(({ score }) => score?.kind === 'valid' || score?.kind === 'imputed')
  const due = results.filter(({ blame }) => blame !== 'coordinator')
  const answered = due.filter(({ status }) => status === 'SCORED')
  const sum = (field: string) => counted.reduce((total, { score }) => total + (score?.value?.[field] as number), 0)
  return { scoreCount: counted.length, dueCount: due.length, answeredCount: answered.length, sum }
}

/** Number of scores computed by each version of the contract's code. */
function versionsOf(results: readonly Result[]): Readonly<Record<string, number>> {
  const versions: Record<string, number> = {}
  for (const { score } of results) {
    const version = score?.contractVersion ?? null
    if (score?.kind === 'failed' || version === null) continue
    versions[version] = (versions[version] ?? 0) + 1
  }
  return versions
}

/** Coverage: the share of all rounds, with or without a row of the model, that it answered. Excused rounds do not count. */
function answers(all: readonly Result[], own: readonly Result[]) {
  const rounds = new Set(all.map(({ inputId }) => inputId))
  const hasScore = (inputId: string) =>
    all.some((result) => result.inputId === inputId && result.score?.kind === 'valid')
  const excused = own.filter(
    ({ blame, status, score, inputId }) =>
      blame === 'coordinator' || (status === 'SCORED' && score?.kind === 'failed' && !hasScore(inputId)),
  )
  const validCount = own.filter(({ score }) => score?.kind === 'valid').length
  const roundCount = rounds.size - excused.length
  return { validCount, roundCount, coverage: roundCount === 0 ? null : validCount / roundCount }
}

function snapshotsOf(
  competition: Competition,
  models: readonly ModelRow[],
  all: readonly Result[],
  end: number,
): readonly SnapshotRow[] {
  const { periodMs, scoreFields } = competition
  const results = all.filter(({ at }) => at >= end - periodMs && at < end)
  const modelIds = [...new Set(results.map(({ modelId }) => modelId))].sort()
  const listed = models.filter((model) => modelIds.includes(model.id) || registeredBetween(model, results))
  return listed.map((model) => {
    const { id: modelId } = model
    const own = results.filter((result) => result.modelId === modelId)
    const missing = withoutRow(model, results)
    const { scoreCount, dueCount, answeredCount, sum } = totals(own)
    const fields = scoreCount === 0 ? [] : scoreFields
    return {
      id: `SNAP_${modelId}_${new Date(end).toISOString().replace(/[-:Z]/g, '').replace('T', '_')}`,
      era: onlyEra,
      modelId,
      periodStart: end - periodMs,
      periodEnd: end,
      scoreCount,
      dueCount,
      answeredCount,
      roundCount: new Set(results.map(({ inputId }) => inputId)).size,
      validCount: answers(results, own).validCount,
      excusedCount: new Set(results.map(({ inputId }) => inputId)).size - answers(results, own).roundCount,
      unasked: worstOf(competition, missing.before),
      missed: worstOf(competition, missing.since),
      contractVersions: versionsOf(own),
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

function leaderboardOf(
  competition: Competition,
  models: readonly ModelRow[],
  results: readonly Result[],
  snapshots: readonly SnapshotRow[],
  asOf: number,
): Omit<LeaderboardRow, 'id'> {
  const { periodMs, windowsMs, rankBy, direction, rankedFrom } = competition
  const longestMs = Math.max(...Object.values(windowsMs))
  const closed = results.filter(({ at }) => at < asOf)
  const window = closed.filter(({ at }) => at >= asOf - (windowsMs[rankBy] ?? 0))
  const listed = models.filter((model) => {
    const hasRow = snapshots.some(
      ({ modelId, periodStart, periodEnd, dueCount, excusedCount }) =>
        modelId === model.id && periodEnd <= asOf && periodStart >= asOf - longestMs && dueCount + excusedCount > 0,
    )
    return hasRow || !isRetired(model, asOf)
  })
  const entries = listed.map((model) => {
    const { id: modelId } = model
    const own = closed.filter((result) => result.modelId === modelId)
    const within = (lengthMs: number) => own.filter(({ at }) => at >= asOf - lengthMs)
    const { scoreCount, dueCount } = totals(within(windowsMs[rankBy] ?? 0))
    const answered = answers(window, within(windowsMs[rankBy] ?? 0))
    const newest = snapshots.filter(
      (snapshot) =>
        snapshot.modelId === modelId && snapshot.periodEnd <= asOf && snapshot.periodStart >= asOf - longestMs,
    )
    return {
      modelId,
      unrankedReason: unrankedReasonOf(model, asOf, rankedFrom, { ...answered, dueCount }),
      windows: Object.fromEntries(
        Object.entries(windowsMs).map(([name, lengthMs]) => [
          name,
          meanOf(
            competition,
            model,
            closed.filter(({ at }) => at >= asOf - lengthMs),
          ),
        ]),
      ),
      metrics: newest.at(-1)?.metrics ?? {},
      scoreCount,
      ...answered,
    }
  })
  const period = closed.filter(({ at }) => at >= asOf - periodMs)
  const place = ({ unrankedReason: reason }: (typeof entries)[number]) =>
    reason === null || reason === 'baseline' ? 0 : reason === 'retired' ? 3 : reason === 'no_data' ? 2 : 1
  return {
    era: onlyEra,
    asOf,
    periodStart: asOf - periodMs,
    roundCount: new Set(period.map(({ inputId }) => inputId)).size,
    worst: worstOf(competition, period),
    missing: worstOf(competition, period),
    firstPerformedAt: Math.min(...period.map(({ askedAt }) => askedAt)),
    rankBy,
    direction,
    entries: inOrder(
      direction,
      entries,
      ({ windows }) => windows[rankBy] ?? null,
      (entry) => entry.unrankedReason === null,
      // On a board, models without a value come last.
      (entry) => ((entry.windows[rankBy] ?? null) === null ? Math.max(2, place(entry)) : place(entry)),
    ),
  }
}

function unrankedReasonOf(
  model: ModelRow,
  asOf: number,
  rankedFrom: number,
  { validCount, coverage, dueCount }: ReturnType<typeof answers> & { readonly dueCount: number },
) {
  if (model.cruncherId === organizer) return 'baseline'
  if (isRetired(model, asOf)) return 'retired'
  if (validCount === 0) return 'no_data'
  if ((coverage ?? 0) >= rankedFrom) return null
  return validCount / dueCount >= rankedFrom ? 'waiting' : 'low_coverage'
}

function checkpointOf(
  competition: Competition,
  models: readonly ModelRow[],
  all: readonly Result[],
  snapshots: readonly SnapshotRow[],
  end: number,
): Omit<CheckpointRow, 'id' | 'status'> {
  const { checkpointMs, direction, baseline, paidFrom } = competition
  const results = all.filter(({ at }) => at >= end - checkpointMs && at < end)
  const candidates = models
    .filter(({ id }) => results.some(({ modelId }) => modelId === id))
    .map((model) => {
      const { id: modelId, name, cruncherId } = model
      const own = results.filter((result) => result.modelId === modelId)
      const { scoreCount, dueCount, answeredCount } = totals(own)
      const answered = answers(results, own)
      const isCovered = answered.validCount > 0 && (answered.coverage ?? 0) >= paidFrom
      const isOrganizers = cruncherId === organizer
      const value = meanOf(competition, model, results)
      return {
        entry: { modelId, value, scoreCount, dueCount, answeredCount, ...answered },
        floor: isOrganizers && name === baseline && isCovered ? value : null,
        unpaidReason: unpaidReasonOf(model, end, answered.validCount, isCovered),
      }
    })
  const floor = candidates.find((candidate) => candidate.floor !== null)?.floor ?? null
  const payable = candidates.filter(({ unpaidReason }) => unpaidReason === null)
  const paid = payable.filter(
    ({ entry }) => floor !== null && entry.value !== null && isBetter(direction, entry.value, floor),
  )
  const claimed = tierPercents.slice(0, paid.length).reduce((sum, percent) => sum + percent, 0)
  // Models with equal rank share the places that they occupy.
  const reward = (rank: number, tied: number) => {
    const places = tierPercents.slice(rank - 1, rank - 1 + tied).reduce((sum, percent) => sum + percent, 0)
    return (places / tied + (100 - claimed) / paid.length) * 10_000_000
  }
  const listed = inOrder(
    direction,
    candidates.map(({ entry, unpaidReason }) => ({ ...entry, unpaidReason })),
    ({ value }) => value,
    (entry) => entry.unpaidReason === null,
    ({ unpaidReason }) => (unpaidReason === null || unpaidReason === 'baseline' ? 0 : 1),
  )
  return {
    era: onlyEra,
    periodStart: end - checkpointMs,
    periodEnd: end,
    snapshotCount: snapshots.filter(
      ({ periodStart, periodEnd }) => periodStart >= end - checkpointMs && periodEnd <= end,
    ).length,
    contractVersions: versionsOf(results),
    floor,
    emissionReason: emissionReasonOf(paid.length, payable.length, floor),
    entries: listed.map((entry) => {
      const isPaid = paid.some((one) => one.entry.modelId === entry.modelId)
      const tied = paid.filter((one) => one.entry.value === entry.value).length
      const afterFloor = isPaid ? null : floor === null ? 'floor_unknown' : 'not_above_floor'
      return {
        ...entry,
        rewardFrac64: isPaid ? reward(entry.rank ?? 0, tied) : 0,
        unpaidReason: entry.unpaidReason ?? afterFloor,
      }
    }),
  }
}

function unpaidReasonOf(model: ModelRow, end: number, validCount: number, isCovered: boolean) {
  if (model.cruncherId === organizer) return 'baseline'
  if (isRetired(model, end)) return 'retired'
  if (validCount === 0) return 'no_answer'
  return isCovered ? null : 'low_coverage'
}

function emissionReasonOf(paidCount: number, payableCount: number, floor: number | null) {
  if (paidCount > 0) return null
  if (payableCount === 0) return 'no_payable_model'
  return floor === null ? 'floor_unknown' : 'nobody_above_floor'
}

/** Sorted by place, then best value first, models without a value last; only eligible models are ranked. */
function inOrder<Entry extends { readonly modelId: string }>(
  direction: Competition['direction'],
  entries: readonly Entry[],
  valueFor: (entry: Entry) => number | null,
  canRank: (entry: Entry) => boolean,
  placeOf: (entry: Entry) => number,
): readonly (Entry & { readonly rank: number | null })[] {
  const sign = direction === 'asc' ? 1 : -1
  const order = (entry: Entry) => sign * (valueFor(entry) ?? sign * Number.POSITIVE_INFINITY)
  const rankable = entries.filter(canRank)
  return [...entries]
    .sort((left, right) => placeOf(left) - placeOf(right) || Math.sign(order(left) - order(right)) || 0)
    .map((entry) => ({
      ...entry,
      rank: canRank(entry) ? 1 + rankable.filter((other) => order(other) < order(entry)).length : null,
    }))
}

function isBetter(direction: Competition['direction'], value: number, other: number): boolean {
  return direction === 'asc' ? value < other : value > other
}
