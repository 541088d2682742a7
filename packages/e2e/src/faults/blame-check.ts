import type { PredictionRow } from '../stored-rows.ts'
import type { Happened } from './fault-loop.ts'

/** Of a model whose connection is silent or lost: docs/fairness.md, "Blame". */
const lostByModel = ['timeout', 'busy', 'queue_full', 'not_running']
/** What may happen to any row, also while the way to a model is broken. */
const lostByNode = ['coordinator_stalled', 'stored_late', 'truth_unavailable']

/** In which every answer was valid before the fault, so that nothing earlier explains what is missing. */
const quietMs = 3_000
/** After which an answer is decided: the contract's time-out, and the writing of it. */
const decidedMs = 2_500

/** What is missing while nothing but the way to a model was broken. */
export interface LostAnswers {
  readonly fault: Happened
  readonly rows: readonly PredictionRow[]
}

export function lostAnswers(
  happened: readonly Happened[],
  predictions: readonly PredictionRow[],
): readonly LostAnswers[] {
  const breaks = happened.filter(({ kind, target, detail }) => {
    const isBreak = kind === 'hold' || kind.startsWith('cut-')
    return isBreak && target === 'model' && detail !== undefined
  })
  return breaks.flatMap((fault) => {
    const { startedAt, lengthMs } = fault
    const others = happened.filter((other) => other !== fault)
    const isAlone = others.every((other) => other.startedAt + other.lengthMs < startedAt || other.startedAt > startedAt)
    const next = Math.min(...others.map((other) => other.startedAt).filter((at) => at > startedAt))
    const before = predictions.filter(
      ({ performedAt: at }) => at >= startedAt - quietMs - decidedMs && at < startedAt - decidedMs,
    )
    const wasWell = before.length > 0 && before.every(({ reason }) => reason === null)
    if (!isAlone || !wasWell) return []
    const through = Math.min(startedAt + lengthMs, next - decidedMs)
    const rows = predictions.filter(
      ({ performedAt: at, reason }) => at >= startedAt - decidedMs && at <= through && reason !== null,
    )
    return [{ fault, rows }]
  })
}

/** Those that are not blamed as docs/fairness.md says. */
export function wrongBlame(lost: readonly LostAnswers[]): readonly string[] {
  return lost
    .flatMap(({ rows }) => rows)
    .filter(({ reason, blame }) => {
      const isModels = blame === 'model' && lostByModel.includes(reason ?? '')
      return !isModels && !(blame === 'coordinator' && lostByNode.includes(reason ?? ''))
    })
    .map(({ id, reason, blame, detail }) => `${id}: ${reason}, blamed on the ${blame} (${detail})`)
}
