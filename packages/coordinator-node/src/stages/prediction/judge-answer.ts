import { errorText } from '@crunch/local-processes/errors'
import type { z } from 'zod'
import type { AnswerSize } from '../../domain/answer-size.ts'
import { predictionId } from '../../domain/ids.ts'
import { toJson } from '../../domain/json/json.ts'
import type { Prediction } from '../../domain/prediction.ts'
import type { Round } from '../../domain/round.ts'
import type { ModelAnswer } from '../../ports/model-runner.ts'
import { validateAnswer } from './validate-answer.ts'

const detailLimit = 2_000
/** All faults are reported for answers with at most this many values, which takes at most a few milliseconds. */
const fewValues = 100

/**
 * The row of one model in a round: PENDING for an answer that the schema accepts, else FAILED or ABSENT with reason and
 * blame. An answer beyond the limits is never passed to the schema, which may take long.
 */
export function judgeAnswer(
  round: Round,
  modelId: string,
  answer: ModelAnswer,
  { excess, values }: AnswerSize,
  schema: z.ZodType,
): Prediction {
  if (answer.status !== 'answered') {
    return {
      ...emptyPrediction(round, modelId),
      status: answer.status === 'failed' ? 'FAILED' : 'ABSENT',
      reason: answer.reason,
      blame: answer.blame,
      detail: answer.detail.slice(0, detailLimit),
      durationMs: answer.durationMs,
    }
  }
  const judged = { ...emptyPrediction(round, modelId), durationMs: answer.durationMs }
  if (excess !== null) return failed(judged, 'output_too_large', `the answer ${excess}`)
  try {
    // The author's own checks run here; their exceptions concern only this answer, not the round.
    const validated = validateAnswer(schema, answer.output, values <= fewValues)
    if (!validated.isValid) return failed(judged, 'invalid_output', validated.detail)
    return { ...judged, status: 'PENDING', output: toJson(validated.output, 'output') }
  } catch (error) {
    return failed(judged, 'invalid_output', errorText(error))
  }
}

/** The row of a model that cannot answer. */
export function absentPrediction(
  round: Round,
  modelId: string,
  reason: string,
  blame: 'model' | 'coordinator',
  detail: string,
): Prediction {
  return { ...emptyPrediction(round, modelId), status: 'ABSENT', reason, blame, detail }
}

function failed(prediction: Prediction, reason: string, detail: string): Prediction {
  return { ...prediction, status: 'FAILED', reason, blame: 'model', detail: detail.slice(0, detailLimit) }
}

function emptyPrediction(round: Round, modelId: string): Prediction {
  return {
    id: predictionId(modelId, round.id),
    roundId: round.id,
    modelId,
    status: 'ABSENT',
    output: null,
    reason: null,
    blame: null,
    detail: null,
    durationMs: null,
    performedAt: round.performedAt,
    resolvableAt: round.resolvableAt,
  }
}
