import type { z } from 'zod'
import { predictionId } from '../../domain/ids.ts'
import { toJson } from '../../domain/json.ts'
import type { Prediction } from '../../domain/prediction.ts'
import type { Round } from '../../domain/round.ts'
import type { ModelAnswer } from '../../ports/model-runner.ts'

const detailLimit = 2_000

/** The row of one model in a round: PENDING for an answer that the schema takes, else FAILED or ABSENT with reason and blame. */
export function judgeAnswer(round: Round, modelId: string, answer: ModelAnswer, schema: z.ZodType): Prediction {
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
  try {
    // The author's own checks run in here, and what they throw is this answer's fault alone, not the round's.
    const parsed = schema.safeParse(answer.output)
    if (!parsed.success) return invalid(judged, parsed.error.issues.map(issueText).join('; '))
    return { ...judged, status: 'PENDING', output: toJson(parsed.data, 'output') }
  } catch (error) {
    return invalid(judged, error instanceof Error ? error.message : String(error))
  }
}

/** The row of a model of which no answer can come. */
export function absentPrediction(
  round: Round,
  modelId: string,
  reason: string,
  blame: 'model' | 'coordinator',
  detail: string,
): Prediction {
  return { ...emptyPrediction(round, modelId), status: 'ABSENT', reason, blame, detail }
}

function invalid(prediction: Prediction, detail: string): Prediction {
  return {
    ...prediction,
    status: 'FAILED',
    reason: 'invalid_output',
    blame: 'model',
    detail: detail.slice(0, detailLimit),
  }
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

function issueText(issue: z.core.$ZodIssue): string {
  return `${issue.path.map(String).join('.') || 'output'}: ${issue.message}`
}
