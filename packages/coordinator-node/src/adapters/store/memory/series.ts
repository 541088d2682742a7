import type { Snapshot } from '../../../domain/snapshot.ts'
import type { Instant } from '../../../domain/time.ts'
import type { ModelSpan, RoundReport, ScoreSpan, ScoreSum } from '../../../ports/reads/report-reads.ts'
import { compareText } from '../compare-text.ts'
import type { PeriodTable } from './period-table.ts'
import type { RoundRow, RoundTable } from './round-table.ts'

/** The reads of `SeriesReads`, each over all rows. */
export function createSeries(rounds: RoundTable, periods: PeriodTable) {
  const snapshots = () => periods.rows().snapshots
  return {
    leaderboardsAt: (ends: readonly Instant[], modelIds: readonly string[]) =>
      periods
        .rows()
        .leaderboards.filter(({ asOf }) => ends.includes(asOf))
        .map((board) => ({ ...board, entries: board.entries.filter(({ modelId }) => isWanted(modelIds, modelId)) })),
    snapshotsAt: (ends: readonly Instant[], modelIds: readonly string[]) =>
      snapshots().filter(({ periodEnd, modelId }) => ends.includes(periodEnd) && isWanted(modelIds, modelId)),
    newestSnapshots: (span: ModelSpan) => newestSnapshots(snapshots(), span),
    scoreSums: (span: ScoreSpan) => scoreSums(rounds.rows(), span),
    roundReport: (id: string, modelId?: string) => {
      const row = rounds.rows().find(({ round }) => round.id === id)
      return row === undefined ? null : roundReport(row, modelId)
    },
    snapshot: (id: string) => snapshots().find((one) => one.id === id) ?? null,
    checkpoint: (id: string) => periods.rows().checkpoints.find((one) => one.id === id) ?? null,
  }
}

function isWanted(modelIds: readonly string[], modelId: string): boolean {
  return modelIds.length === 0 || modelIds.includes(modelId)
}

function newestSnapshots(snapshots: readonly Snapshot[], { modelIds, from, to }: ModelSpan): readonly Snapshot[] {
  const newest = new Map<string, Snapshot>()
  for (const snapshot of snapshots) {
    const { modelId, periodEnd } = snapshot
    if (periodEnd >= from && periodEnd <= to && isWanted(modelIds, modelId)) newest.set(modelId, snapshot)
  }
  return [...newest.values()].sort((one, other) => compareText(one.modelId, other.modelId))
}

function roundReport({ round, predictions, scores }: RoundRow, modelId: string | undefined): RoundReport {
  const { scheduleKey, scope, horizonMs, stepMs, actuals, voidReason } = round
  const rows = predictions.map((prediction, index) => {
    const score = scores[index] ?? null
    return { prediction, scheduleKey, scope, horizonMs, stepMs, score, actuals, voidReason }
  })
  return {
    round,
    predictions: rows.filter(({ prediction }) => modelId === undefined || prediction.modelId === modelId),
  }
}

function scoreSums(rows: readonly RoundRow[], span: ScoreSpan): readonly ScoreSum[] {
  const { from, to, cellMs, field, modelIds } = span
  const sums = new Map<string, ScoreSum>()
  for (const { round, scores } of rows) {
    if (round.resolvableAt < from || round.resolvableAt >= to) continue
    const { scheduleKey, scope, horizonMs, stepMs } = round
    const cellEnd = (Math.floor(round.resolvableAt / cellMs) + 1) * cellMs
    for (const score of scores) {
      const value = score?.value?.[field]
      if (score === null || typeof value !== 'number' || !isWanted(modelIds, score.modelId)) continue
      const { modelId } = score
      const key = JSON.stringify([cellEnd, modelId, scheduleKey, scope, horizonMs, stepMs])
      const { sum, count } = sums.get(key) ?? { sum: 0, count: 0 }
      sums.set(key, {
        ...{ modelId, scheduleKey, scope, horizonMs, stepMs, cellEnd },
        sum: sum + value,
        count: count + 1,
      })
    }
  }
  return [...sums.values()].sort(
    (one, other) =>
      one.cellEnd - other.cellEnd ||
      compareText(one.modelId, other.modelId) ||
      compareText(one.scheduleKey, other.scheduleKey),
  )
}
