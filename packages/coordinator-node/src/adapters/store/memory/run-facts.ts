import type { Prediction } from '../../../domain/prediction.ts'
import type { RunFacts } from '../../../ports/reads/report-reads.ts'
import type { RoundTable } from './round-table.ts'

export function runFacts(rounds: RoundTable, modelCount: number): RunFacts {
  const rows = rounds.rows()
  const predictions = [...rounds.predictionsSince(Number.NEGATIVE_INFINITY)]
  const voidReasons = rows.flatMap(({ round }) => round.voidReason ?? [])
  const scores = rows.flatMap((row) => row.scores.filter((score) => score !== null))
  const failed = scores.flatMap(({ reason }) => reason ?? [])
  const [first] = predictions
  return {
    modelCount,
    roundCount: rows.length,
    answeredCount: predictions.filter(isAnswered).length,
    firstRow: first === undefined ? null : { modelId: first.modelId, reason: first.reason, detail: first.detail },
    voidCount: voidReasons.length,
    voidReason: voidReasons[0] ?? null,
    scoreCount: scores.length,
    validCount: scores.filter(({ kind }) => kind === 'valid').length,
    failedCount: failed.length,
    failedReason: failed[0] ?? null,
  }
}

/** A round whose truth stays unknown turns valid answers into failed predictions. */
function isAnswered({ status, reason }: Prediction): boolean {
  return ['PENDING', 'SCORED'].includes(status) || ['truth_unavailable', 'contract_changed'].includes(reason ?? '')
}
