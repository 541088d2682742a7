import type { Checkpoint } from '../../../../domain/checkpoint.ts'
import { isValidAnswer, type Prediction } from '../../../../domain/prediction.ts'
import { percentile } from '../../../../domain/statistics/percentile.ts'
import {
  latencyShares,
  type ModelOutcomes,
  type ModelPayout,
  type OutcomeCount,
  type OutcomeSpan,
  type PayoutFilter,
} from '../../../../ports/reads/page-reads.ts'
import { compareText } from '../../compare-text.ts'

/** @param predictions those since the beginning of the span, at least */
export function modelOutcomes(
  predictions: Iterable<Prediction>,
  { modelId, from, to, cellMs }: OutcomeSpan,
): ModelOutcomes {
  const own = [...predictions].filter(
    (one) => one.modelId === modelId && one.performedAt >= from && one.performedAt <= to,
  )
  const counts = new Map<string, OutcomeCount>()
  for (const { performedAt, status, reason, blame } of own) {
    const cellStart = Math.floor(performedAt / cellMs) * cellMs
    const key = JSON.stringify([cellStart, status, reason, blame])
    counts.set(key, { cellStart, status, reason, blame, count: (counts.get(key)?.count ?? 0) + 1 })
  }
  const latencies = own
    .filter(({ status }) => isValidAnswer(status))
    .flatMap(({ durationMs }) => durationMs ?? [])
    .sort((one, other) => one - other)
  return {
    counts: [...counts.values()].sort(compareOutcomes),
    latencyMs: latencies.length === 0 ? null : latencyShares.map((share) => percentile(latencies, share) as number),
  }
}

function compareOutcomes(one: OutcomeCount, other: OutcomeCount): number {
  return (
    one.cellStart - other.cellStart ||
    compareText(one.status, other.status) ||
    compareOrNull(one.reason, other.reason) ||
    compareOrNull(one.blame, other.blame)
  )
}

function compareOrNull(one: string | null, other: string | null): number {
  if (one === null || other === null) return Number(one === null) - Number(other === null)
  return compareText(one, other)
}

/** @param checkpoints oldest first */
export function modelPayouts(
  checkpoints: readonly Checkpoint[],
  { modelId, before, limit }: PayoutFilter,
): readonly ModelPayout[] {
  return [...checkpoints]
    .reverse()
    .filter(({ periodEnd }) => periodEnd < before)
    .flatMap(({ entries, id, era, periodStart, periodEnd, status, transactionId, submittedAt }) => {
      const entry = entries.find((one) => one.modelId === modelId)
      const checkpoint = { id, era, periodStart, periodEnd, status, transactionId, submittedAt }
      return entry === undefined ? [] : [{ checkpoint, entry }]
    })
    .slice(0, limit)
}
