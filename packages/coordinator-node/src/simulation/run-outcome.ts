import type { StoreDump } from '../adapters/store/memory/memory-store.ts'
import type { Prediction } from '../domain/prediction.ts'
import type { Refusal } from '../domain/progress/refusal.ts'
import type { Log } from '../ports/log.ts'
import { callRefused, inputRefused } from '../ports/refused-inputs.ts'

/** Whether a run worked. */
export interface RunOutcome {
  readonly refusals: readonly Refusal[]
  /** Why nothing was predicted or scored; `null` when something was scored. */
  readonly failure: string | null
}

/** Inputs that the contract could not build have no row; they are counted from the log of the run. */
export interface InputRefusals {
  readonly log: Log
  readonly count: () => number
  readonly first: () => string | null
}

/** A log that forwards everything and counts the inputs and calls that the contract could not build. */
export function countInputRefusals(log: Log): InputRefusals {
  let count = 0
  let first: string | null = null
  return {
    count: () => count,
    first: () => first,
    log: {
      ...log,
      error(message, fields) {
        if (message === inputRefused || message === callRefused) {
          count += 1
          first ??= String(fields?.reason ?? message)
        }
        log.error(message, fields)
      },
    },
  }
}

/** @param waitingReason why the first due, unsettled round has no truth yet */
export function runOutcome(
  rows: Pick<StoreDump, 'rounds' | 'predictions' | 'scores' | 'models'>,
  inputs: Pick<InputRefusals, 'count' | 'first'>,
  waitingReason: string | null,
): RunOutcome {
  const { rounds, scores } = rows
  const voidReasons = rounds.flatMap(({ voidReason }) => voidReason ?? [])
  const failedScores = scores.flatMap(({ reason }) => reason ?? [])
  const all: readonly Omit<Refusal, 'reason'>[] = [
    { what: 'inputs', count: inputs.count(), of: null },
    { what: 'truths', count: voidReasons.length, of: rounds.length },
    { what: 'scores', count: failedScores.length, of: scores.length },
  ]
  const reasons = { inputs: inputs.first(), truths: voidReasons[0] ?? null, scores: failedScores[0] ?? null }
  return {
    refusals: all.flatMap((refusal) => {
      const reason = reasons[refusal.what]
      return refusal.count === 0 || reason === null ? [] : [{ ...refusal, reason }]
    }),
    failure: nothingPredicted(rows, reasons.inputs) ?? nothingScored(rows, reasons, waitingReason),
  }
}

function nothingPredicted(
  { rounds, predictions, models }: Pick<StoreDump, 'rounds' | 'predictions' | 'models'>,
  inputReason: string | null,
): string | null {
  if (predictions.some(isAnswered)) return null
  if (rounds.length === 0) {
    // Models register with their first input.
    if (inputReason === null && models.length === 0) return 'nothing was predicted: no model takes part'
    const otherwise =
      'no record of the recording opens one: it is empty, its series are not those of the schedule, or the gate of the feed distrusts them'
    return `nothing was predicted, since no round opened: ${inputReason ?? otherwise}`
  }
  const [first] = predictions
  if (first === undefined) return 'nothing was predicted: no model took part in a round'
  return `nothing was predicted: model ${first.modelId}: ${first.reason}: ${first.detail}`
}

/** A round whose truth stays unknown turns valid answers into failed predictions. */
function isAnswered({ status, reason }: Prediction): boolean {
  return ['PENDING', 'SCORED'].includes(status) || ['truth_unavailable', 'contract_changed'].includes(reason ?? '')
}

function nothingScored(
  { scores }: Pick<StoreDump, 'scores'>,
  reasons: { readonly truths: string | null; readonly scores: string | null },
  waitingReason: string | null,
): string | null {
  if (scores.some(({ kind }) => kind === 'valid')) return null
  const reason =
    reasons.scores ??
    reasons.truths ??
    waitingReason ??
    'the recording ends before the horizon of the first round: use a longer one'
  return `nothing was scored: ${reason}`
}
