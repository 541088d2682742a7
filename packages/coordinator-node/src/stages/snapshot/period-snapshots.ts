import { worstByRound } from '../../contract/ranking/period-scores.ts'
import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import { present } from '../../domain/errors.ts'
import { groupBy } from '../../domain/group-by.ts'
import { snapshotId } from '../../domain/ids.ts'
import type { Model } from '../../domain/models/model.ts'
import type { FieldSum, Snapshot } from '../../domain/snapshot.ts'
import { addFinite } from '../../domain/statistics/finite-sum.ts'
import { type MetricName, type MetricPoints, metrics } from '../../domain/statistics/metrics.ts'
import { mapInSlices, type SlicedWork } from '../../domain/statistics/sliced-work.ts'
import type { Instant } from '../../domain/time.ts'
import type { PeriodResult } from '../../ports/store-periods.ts'
import { type RoundFacts, roundsOf, sumOf } from './period-rounds.ts'

/** Takes a few milliseconds. */
const resultsPerSlice = 2_000

type RegisteredModel = Pick<Model, 'id' | 'registeredAt'>

/**
 * The snapshots of a closed period: one for each model that had a row in it, and for each that had none but registered
 * between its rounds, since no sum over the whole period shows what such a model missed. Sums run in the order of
 * `results`, so that every store and every recomputation gives the same bits.
 */
export function* periodSnapshots(
  resolved: ResolvedContract,
  models: readonly RegisteredModel[],
  periodStart: Instant,
  periodEnd: Instant,
  results: readonly PeriodResult[],
): SlicedWork<Snapshot[]> {
  const byModel = groupBy(results, ({ modelId }) => modelId)
  const rounds = roundsOf(results)
  const registrations = new Map(models.map((model) => [model.id, model.registeredAt]))
  const joined = registeredBetween(models, rounds)
  const modelIds = [...new Set([...byModel.keys(), ...joined])].sort()
  const worst = worstByRound(resolved.contract.leaderboard, results)
  const metricsOf = yield* periodMetrics(
    resolved,
    modelIds.map((modelId) => metricPoints(resolved, byModel.get(modelId) ?? [])),
  )
  const rowsOf = (modelId: string) => byModel.get(modelId) ?? []
  const snapshotOf = (modelId: string, index: number): Snapshot => {
    const own = rowsOf(modelId)
    const counted = own.filter((result) => result.scoreKind === 'valid' || result.scoreKind === 'imputed')
    const due = own.filter((result) => result.blame !== 'coordinator')
    return {
      id: snapshotId(modelId, periodEnd),
      era: resolved.era.number,
      modelId,
      periodStart,
      periodEnd,
      scoreCount: counted.length,
      dueCount: due.length,
      answeredCount: due.filter((result) => result.predictionStatus === 'SCORED').length,
      roundCount: worst.size,
      validCount: own.filter((result) => result.scoreKind === 'valid').length,
      excusedCount: own.filter((result) => isExcused(result, worst)).length,
      ...sumsWithoutRow(
        own,
        present(registrations.get(modelId), `the registration of model "${modelId}"`),
        rounds,
        worst,
      ),
      contractVersions: versionCounts(counted),
      sums: fieldSums(counted),
      metrics: metricsOf(index),
    }
  }
  return yield* mapInSlices(modelIds, resultsPerSlice, (modelId) => rowsOf(modelId).length, snapshotOf)
}

/**
 * Whether a row counts neither for nor against its model. A failed score is excused only if no answer of the round
 * could be scored: otherwise a model could skip a round with an answer that breaks the scorer.
 */
function isExcused(result: PeriodResult, worst: ReadonlyMap<string, number | null>): boolean {
  const { blame, predictionStatus, scoreKind, roundId } = result
  if (blame === 'coordinator') return true
  // A missing answer has a failed score if the contract's `missing` function throws.
  return predictionStatus === 'SCORED' && scoreKind === 'failed' && worst.get(roundId) === null
}

/** Sums over the rounds in which a model had no row: `unasked` before its registration, `missed` while it was retired. */
function sumsWithoutRow(
  own: readonly PeriodResult[],
  registeredAt: Instant,
  rounds: ReadonlyMap<string, RoundFacts>,
  worst: ReadonlyMap<string, number | null>,
): Pick<Snapshot, 'unasked' | 'missed'> {
  const asked = new Set(own.map((result) => result.roundId))
  const others = [...rounds].filter(([roundId]) => !asked.has(roundId))
  const before = others.filter(([, { performedAt }]) => performedAt < registeredAt)
  const since = others.filter(([, { performedAt }]) => performedAt >= registeredAt)
  return {
    unasked: sumOf(before.map(([roundId]) => worst.get(roundId) as number | null)),
    missed: sumOf(since.map(([, { missingValue }]) => missingValue)),
  }
}

/** The models that registered after some of the rounds, but not after all. */
function registeredBetween(models: readonly RegisteredModel[], rounds: ReadonlyMap<string, RoundFacts>): string[] {
  const instants = [...rounds.values()].map(({ performedAt }) => performedAt)
  const first = instants.reduce((left, right) => Math.min(left, right), Number.POSITIVE_INFINITY)
  const last = instants.reduce((left, right) => Math.max(left, right), Number.NEGATIVE_INFINITY)
  return models.filter(({ registeredAt }) => registeredAt > first && registeredAt <= last).map(({ id }) => id)
}

/** Computes the contract's metrics of all models. The returned function gives those of the model at an index of `models`. */
function* periodMetrics(
  { contract }: ResolvedContract,
  models: readonly MetricPoints[],
): SlicedWork<(index: number) => Record<string, number | null>> {
  const columns: (readonly [MetricName, readonly (number | null)[]])[] = []
  for (const name of contract.snapshot.metrics ?? []) columns.push([name, yield* metrics[name].compute(models)])
  return (index) => Object.fromEntries(columns.map(([name, values]) => [name, finiteOrNull(values[index] ?? null)]))
}

/** A metric of extreme numbers can overflow; it is then undefined. */
function finiteOrNull(value: number | null): number | null {
  return value !== null && Number.isFinite(value) ? value : null
}

function metricPoints(resolved: ResolvedContract, results: readonly PeriodResult[]): MetricPoints {
  const field: string = resolved.contract.leaderboard.value
  return results.flatMap(({ scoreKind, value, roundId, signal, actual }) => {
    const ranked = value?.[field]
    return scoreKind === 'valid' && typeof ranked === 'number' ? [{ roundId, value: ranked, signal, actual }] : []
  })
}

function fieldSums(results: readonly PeriodResult[]): Record<string, FieldSum> {
  const sums: Record<string, { sum: number; count: number }> = {}
  for (const { value } of results) {
    for (const [field, number] of Object.entries(present(value, 'the value of a score'))) {
      if (typeof number !== 'number') continue
      sums[field] ??= { sum: 0, count: 0 }
      sums[field].sum = addFinite(sums[field].sum, number)
      sums[field].count += 1
    }
  }
  return Object.fromEntries(Object.entries(sums).sort(([left], [right]) => (left < right ? -1 : 1)))
}

function versionCounts(results: readonly PeriodResult[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { contractVersion } of results) {
    if (contractVersion !== null) counts[contractVersion] = (counts[contractVersion] ?? 0) + 1
  }
  return counts
}
