import type { Blame } from '../../domain/prediction.ts'
import type { ModelAnswer } from '../../ports/model-runner.ts'

/** The port limits texts to this length, because one is stored with every failed answer. */
const MAX_DETAIL_LENGTH = 2_000

export interface Fault {
  readonly reason: string
  readonly blame: Blame
  readonly detail: string
  readonly durationMs: number | null
}

/** The answer is missing: it was late, or the model did not run. */
export function absentAnswer(fault: Fault): ModelAnswer {
  return { status: 'absent', ...fault, detail: cutDetail(fault.detail) }
}

/** The answer is invalid. */
export function failedAnswer(fault: Fault): ModelAnswer {
  return { status: 'failed', ...fault, detail: cutDetail(fault.detail) }
}

/** The time limit of the dispatch has passed before the model answered, or before it could be called. */
export function timeoutAnswer(timeoutMs: number, durationMs: number | null): ModelAnswer {
  const detail =
    durationMs === null
      ? `no time was left of ${timeoutMs} ms: earlier calls to the model used it up`
      : `the model did not answer within ${timeoutMs} ms of the dispatch`
  return absentAnswer({ reason: 'timeout', blame: 'model', detail, durationMs })
}

/** This process stalled during the call: whether the answer was in time is unknown. */
export function stalledAnswer(timeoutMs: number, durationMs: number | null): ModelAnswer {
  const detail = `this node stalled during the model's time limit of ${timeoutMs} ms, so it is unknown whether the answer was in time`
  return absentAnswer({ reason: 'coordinator_stalled', blame: 'coordinator', detail, durationMs })
}

/** The time limit of the dispatch passed before this process sent the call. */
export function unaskedAnswer(timeoutMs: number): ModelAnswer {
  const detail = `this node did not send the call to the model within ${timeoutMs} ms`
  return absentAnswer({ reason: 'timeout', blame: 'coordinator', detail, durationMs: null })
}

/** The model takes one call at a time and is still working on one that timed out. */
export function busyAnswer(durationMs: number | null): ModelAnswer {
  const detail = 'the model is still working on an earlier call, whose time limit has passed'
  return absentAnswer({ reason: 'busy', blame: 'model', detail, durationMs })
}

/** The queue of dispatches for this model is full. */
export function queueFullAnswer(queueLimit: number): ModelAnswer {
  const detail = `${queueLimit} earlier dispatches are waiting for the model`
  return absentAnswer({ reason: 'queue_full', blame: 'model', detail, durationMs: null })
}

/** The budget for large answers is used up, by other models or by more than this model's part of it. */
export function noRoomAnswer(blame: Blame, bytes: number, durationMs: number | null): ModelAnswer {
  const beside = blame === 'model' ? 'other answers of this model' : 'the large answers of other models'
  const detail = `there was no room for the ${bytes} bytes of the answer beside ${beside}`
  return absentAnswer({ reason: 'no_room', blame, detail, durationMs })
}

/** The model is not running. While the orchestrator is unreachable too, the model is not blamed. */
export function notRunningAnswer(blame: Blame, detail: string, durationMs: number | null): ModelAnswer {
  return absentAnswer({ reason: 'not_running', blame, detail, durationMs })
}

/** The text of a thrown value; models may throw any type. */
export function describeThrown(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message === '' ? thrown.name : thrown.message
  if (typeof thrown !== 'object' || thrown === null) return String(thrown)
  return Object.prototype.toString.call(thrown)
}

/** Shortens texts of models, which can have any length. */
export function cutDetail(detail: string): string {
  return detail.length <= MAX_DETAIL_LENGTH ? detail : `${detail.slice(0, MAX_DETAIL_LENGTH - 1)}…`
}
