import type { Refusal } from '../domain/progress/refusal.ts'
import type { Instant } from '../domain/time.ts'
import type { Log } from '../ports/log.ts'
import type { ReportReads, RunFacts } from '../ports/reads/report-reads.ts'
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
  facts: RunFacts,
  inputs: Pick<InputRefusals, 'count' | 'first'>,
  waitingReason: string | null,
): RunOutcome {
  const { roundCount, voidCount, voidReason, scoreCount, failedCount, failedReason } = facts
  const refusals: readonly (Omit<Refusal, 'reason'> & { readonly reason: string | null })[] = [
    { what: 'inputs', count: inputs.count(), of: null, reason: inputs.first() },
    { what: 'truths', count: voidCount, of: roundCount, reason: voidReason },
    { what: 'scores', count: failedCount, of: scoreCount, reason: failedReason },
  ]
  return {
    refusals: refusals.flatMap(({ reason, ...refusal }) =>
      refusal.count === 0 || reason === null ? [] : [{ ...refusal, reason }],
    ),
    failure: nothingPredicted(facts, inputs.first()) ?? nothingScored(facts, waitingReason),
  }
}

/** The outcome of a run, from its store. Refused inputs and truths count only if no later round succeeded. */
export async function storedOutcome(
  store: Pick<ReportReads, 'pipelineProgress' | 'runFacts'>,
  now: Instant,
): Promise<RunOutcome> {
  const [facts, { refusals }] = await Promise.all([store.runFacts(), store.pipelineProgress(now)])
  const inputs = refusals.filter(({ what }) => what === 'inputs')
  const count = inputs.reduce((sum, refusal) => sum + refusal.count, 0)
  const truth = refusals.find(({ what }) => what === 'truths')
  return runOutcome(facts, { count: () => count, first: () => inputs[0]?.reason ?? null }, truth?.reason ?? null)
}

function nothingPredicted(
  { answeredCount, roundCount, modelCount, firstRow }: RunFacts,
  inputReason: string | null,
): string | null {
  if (answeredCount > 0) return null
  if (roundCount === 0) {
    // Models register with their first input.
    if (inputReason === null && modelCount === 0) return 'nothing was predicted: no model takes part'
    const otherwise =
      'no record of the recording opens one: it is empty, its series are not those of the schedule, or the gate of the feed distrusts them'
    return `nothing was predicted, since no round opened: ${inputReason ?? otherwise}`
  }
  if (firstRow === null) return 'nothing was predicted: no model took part in a round'
  return `nothing was predicted: model ${firstRow.modelId}: ${firstRow.reason}: ${firstRow.detail}`
}

function nothingScored(
  { validCount, failedReason, voidReason }: RunFacts,
  waitingReason: string | null,
): string | null {
  if (validCount > 0) return null
  const reason =
    failedReason ??
    voidReason ??
    waitingReason ??
    'the recording ends before the horizon of the first round: use a longer one'
  return `nothing was scored: ${reason}`
}
