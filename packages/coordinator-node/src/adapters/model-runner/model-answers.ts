import type { Blame } from '../../domain/prediction.ts'
import type { ModelAnswer } from '../../ports/model-runner.ts'

/** The port promises no longer texts: they are stored once a failing answer. */
const MAX_DETAIL_LENGTH = 2_000

export interface Fault {
  readonly reason: string
  readonly blame: Blame
  readonly detail: string
  readonly durationMs: number | null
}

/** No answer in time, or no running model. */
export function absentAnswer(fault: Fault): ModelAnswer {
  return { status: 'absent', ...fault, detail: cutDetail(fault.detail) }
}

/** A wrong answer. */
export function failedAnswer(fault: Fault): ModelAnswer {
  return { status: 'failed', ...fault, detail: cutDetail(fault.detail) }
}

/** The model was asked, or was to be asked, and the time of the dispatch is over. */
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

/** The time of the dispatch was over before this process came to the model. */
export function unaskedAnswer(timeoutMs: number): ModelAnswer {
  const detail = `this node did not send the call to the model within ${timeoutMs} ms`
  return absentAnswer({ reason: 'timeout', blame: 'coordinator', detail, durationMs: null })
}

/** The model takes one call at a time and is still at one that was given up. */
export function busyAnswer(durationMs: number | null): ModelAnswer {
  const detail = 'the model is still working on an earlier call, whose time limit has passed'
  return absentAnswer({ reason: 'busy', blame: 'model', detail, durationMs })
}

/** Too many dispatches wait for this model already. */
export function queueFullAnswer(queueLimit: number): ModelAnswer {
  const detail = `${queueLimit} earlier dispatches are waiting for the model`
  return absentAnswer({ reason: 'queue_full', blame: 'model', detail, durationMs: null })
}

/** The coordinator holds as many bytes of answers as it may: those of others, or more of this model's than its part. */
export function noRoomAnswer(blame: Blame, bytes: number, durationMs: number | null): ModelAnswer {
  const beside = blame === 'model' ? 'other answers of this model' : 'the large answers of other models'
  const detail = `there was no room for the ${bytes} bytes of the answer beside ${beside}`
  return absentAnswer({ reason: 'no_room', blame, detail, durationMs })
}

/** The model is not running. While the orchestrator is unreachable too, the model is not blamed. */
export function notRunningAnswer(blame: Blame, detail: string, durationMs: number | null): ModelAnswer {
  return absentAnswer({ reason: 'not_running', blame, detail, durationMs })
}

/** The text of whatever was thrown; models throw anything. */
export function describeThrown(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message === '' ? thrown.name : thrown.message
  if (typeof thrown !== 'object' || thrown === null) return String(thrown)
  return Object.prototype.toString.call(thrown)
}

/** Texts of models have no length of their own. */
export function cutDetail(detail: string): string {
  return detail.length <= MAX_DETAIL_LENGTH ? detail : `${detail.slice(0, MAX_DETAIL_LENGTH - 1)}…`
}
