import { callAuthor } from '../../contract/author-code.ts'
import type { AnyContract } from '../../contract/crunch-contract.ts'
import { roundContext } from '../../contract/resolved-contract.ts'
import { type JsonObject, toJson } from '../../domain/json/json.ts'
import type { Round } from '../../domain/round.ts'
import type { ModelArgument, ModelCall } from '../../ports/model-runner.ts'

/** `tick(input)`, unless the contract disables it. */
export function tickCalls(contract: AnyContract, input: JsonObject): ModelCall[] {
  const method = contract.prediction.call?.tick ?? 'tick'
  return method === false ? [] : [{ method, arguments: [{ type: 'JSON', value: input }] }]
}

/** By default `predict(subject, horizon in seconds, step in seconds)`. */
export function predictCall(contract: AnyContract, round: Round): ModelCall {
  const call = contract.prediction.call
  const own = call?.arguments
    ? callAuthor({ path: 'prediction.call.arguments', owner: call, run: call.arguments }, roundContext(round))
    : undefined
  return {
    method: call?.predict ?? 'predict',
    arguments:
      own === undefined
        ? [
            { type: 'STRING', value: round.scope.subject },
            { type: 'INT', value: Math.round(round.horizonMs / 1_000) },
            { type: 'INT', value: Math.round(round.stepMs / 1_000) },
          ]
        : checkedArguments(own),
  }
}

/** The contract's arguments; throws a `TypeError` if they cannot be sent. */
function checkedArguments(candidates: unknown): ModelArgument[] {
  if (!Array.isArray(candidates)) throw new TypeError('prediction.call.arguments did not return a list')
  return candidates.map((candidate: ModelArgument, index) => {
    const path = `prediction.call.arguments[${index}]`
    const { type, value } = candidate
    if (type === 'STRING' && typeof value === 'string') return candidate
    if (type === 'INT' && Number.isSafeInteger(value)) return candidate
    if (type === 'DOUBLE' && Number.isFinite(value)) return candidate
    if (type === 'JSON') return { type, value: toJson(value, path) }
    throw new TypeError(`${path} is no ${type}: ${String(value)}`)
  })
}
