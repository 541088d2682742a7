import type { PredictionRow } from '../stored-rows.ts'
import type { Happened } from './fault-loop.ts'

/** Reasons for a model whose connection is silent or lost; see docs/fairness.md, "Blame". */
const lostByModel = ['timeout', 'busy', 'queue_full', 'not_running']
/** Reasons that any row may have, even while the connection to a model is broken. */
const lostByNode = ['coordinator_stalled', 'stored_late', 'truth_unavailable']

/** Time before a fault in which every answer must be valid, so that no earlier fault explains missing ones. */
const quietMs = 3_000
/** Time after which an answer is decided: the contract's time-out plus the time to write it. */
const decidedMs = 2_500

/** Missing answers while only the connection to a model was broken. */
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

/** Missing answers whose blame contradicts docs/fairness.md. */
export function wrongBlame(lost: readonly LostAnswers[]): readonly string[] {
  return lost
    .flatMap(({ rows }) => rows)
    .filter(({ reason, blame }) => {
      const isModels = blame === 'model' && lostByModel.includes(reason ?? '')
      return !isModels && !(blame === 'coordinator' && lostByNode.includes(reason ?? ''))
    })
    .map(({ id, reason, blame, detail }) => `${id}: ${reason}, blamed on the ${blame} (${detail})`)
}
