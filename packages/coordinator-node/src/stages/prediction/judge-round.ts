import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import { type AnswerSize, measureAnswer } from '../../domain/answer-size.ts'
import { type Model, takesPart } from '../../domain/models/model.ts'
import { announcedIdOf } from '../../domain/models/model-history.ts'
import type { Prediction } from '../../domain/prediction.ts'
import type { Round } from '../../domain/round.ts'
import type { Clock } from '../../ports/clock.ts'
import type { ModelAnswer, ModelRunner } from '../../ports/model-runner.ts'
import { absentPrediction, judgeAnswer } from './judge-answer.ts'

/** Answers by the id of the model's history. */
export type AnswersByModel = ReadonlyMap<string, ModelAnswer>

/** Number of values that are judged without a break, which takes some milliseconds. */
const valuesATurn = 2_000
const noSize: AnswerSize = { values: 0, excess: null }

/**
 * One row per model that takes part. Every few thousand values, other pending work runs first, so that the answers of
 * many models do not keep this process from reading others in time.
 */
export async function judgeRound(
  { contract, answerLimits }: ResolvedContract,
  { runner, clock }: { readonly runner: ModelRunner; readonly clock: Clock },
  models: readonly Model[],
  round: Round,
  byModel: AnswersByModel,
): Promise<Prediction[]> {
  const predictions: Prediction[] = []
  let values = 0
  // The state of models that were not called may change while others are judged.
  for (const { model, answer, excuse } of models.filter(takesPartIn(round)).map(knownOf(runner, byModel))) {
    if (answer === undefined) {
      predictions.push(
        excuse === null
          ? absentPrediction(round, model.id, 'not_running', 'model', 'the model was not running when the round opened')
          : absentPrediction(round, model.id, excuse.reason, 'coordinator', excuse.detail),
      )
      continue
    }
    const size = answer.status === 'answered' ? measureAnswer(answer.output, answerLimits) : noSize
    values += size.values
    if (values > valuesATurn) {
      await clock.turn()
      values = size.values
    }
    predictions.push(judgeAnswer(round, model.id, answer, size, contract.prediction.schema))
  }
  return predictions
}

function takesPartIn({ performedAt }: Round) {
  return (model: Model) => takesPart(model, performedAt)
}

function knownOf(runner: ModelRunner, byModel: AnswersByModel) {
  return (model: Model) => {
    const answer = byModel.get(model.id)
    return { model, answer, excuse: answer === undefined ? runner.excuseOf(announcedIdOf(model.id)) : null }
  }
}
