import type { Model } from '../../domain/models/model.ts'
import { isRefusal, type ModelAnswer } from '../../ports/model-runner.ts'

/** What one model answered to the call of a round; `undefined` if it was not asked. */
export interface AskedModel {
  readonly model: Pick<Model, 'id' | 'cruncherId'>
  readonly answer: ModelAnswer
}

/**
 * Whether a call is at fault itself: every model that answered it refused it for the same reason, these are models of
 * at least two crunchers, and more than half of those that were asked. A single model can claim anything; the claim
 * counts only if all models make it, including the organizer's.
 */
export function isCallAtFault(asked: readonly AskedModel[]): boolean {
  const answered = asked.filter(({ answer }) => answer.status !== 'absent' || isRefusal(answer))
  const [first] = answered
  if (first === undefined || !isRefusal(first.answer)) return false
  const { reason } = first.answer
  if (!answered.every(({ answer }) => isRefusal(answer) && answer.reason === reason)) return false
  const crunchers = new Set(answered.map(({ model }) => model.cruncherId))
  return crunchers.size >= 2 && answered.length > asked.length / 2
}
