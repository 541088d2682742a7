import { canMovePrediction, type Prediction } from '../../domain/prediction.ts'
import type { DueRound, RoundSettlement } from '../../ports/store-settlement.ts'

type Resolved = Extract<RoundSettlement, { kind: 'resolved' }>

/**
 * Refuses a settlement that would corrupt the tables: a forbidden status change, a row of another round, a second score, or
 * a prediction that would stay PENDING in a resolved round forever. Throws an `Error` naming the round.
 */
export function checkSettlement(due: DueRound, settlement: RoundSettlement): void {
  if (settlement.kind === 'wait') return
  const fault = moveFault(due, settlement) ?? (settlement.kind === 'resolved' ? scoreFault(due, settlement) : undefined)
  if (fault !== undefined) throw new Error(`round "${due.round.id}" cannot be settled: ${fault}`)
}

function moveFault(due: DueRound, settlement: Exclude<RoundSettlement, { kind: 'wait' }>): string | undefined {
  const byId = predictionsById(due)
  const moved = new Set<string>()
  for (const { predictionId, to } of settlement.moves) {
    const prediction = byId.get(predictionId)
    if (prediction === undefined) return `prediction "${predictionId}" is not of this round`
    if (moved.has(predictionId)) return `prediction "${predictionId}" is moved twice`
    if (!canMovePrediction(prediction.status, to)) {
      return `prediction "${predictionId}" cannot move from ${prediction.status} to ${to}`
    }
    if (settlement.kind === 'void' && to === 'SCORED')
      return `prediction "${predictionId}" of a void round cannot be SCORED`
    moved.add(predictionId)
  }
  const stuck = due.predictions.find(({ id, status }) => status === 'PENDING' && !moved.has(id))
  return stuck === undefined ? undefined : `prediction "${stuck.id}" would stay PENDING`
}

function scoreFault(due: DueRound, { scores }: Resolved): string | undefined {
  const byId = predictionsById(due)
  const scored = new Set<string>()
  for (const { id, predictionId, roundId, modelId } of scores) {
    if (roundId !== due.round.id || byId.get(predictionId)?.modelId !== modelId) {
      return `score "${id}" is not of one of its predictions`
    }
    if (scored.has(predictionId)) return `prediction "${predictionId}" is scored twice`
    scored.add(predictionId)
  }
  return undefined
}

function predictionsById(due: DueRound): ReadonlyMap<string, Prediction> {
  return new Map(due.predictions.map((prediction) => [prediction.id, prediction]))
}
