import type { AnyContract, RoundContext } from '../../contract/crunch-contract.ts'
import type { JsonObject } from '../../domain/json.ts'
import type { Round } from '../../domain/round.ts'
import type { ModelCall } from '../../ports/model-runner.ts'

/** What a contract's functions may know of a round. */
export function roundContext(round: Round): RoundContext {
  return {
    scheduleKey: round.scheduleKey,
    subject: round.scope.subject,
    performedAt: round.performedAt,
    resolvableAt: round.resolvableAt,
    horizonMs: round.horizonMs,
    stepMs: round.stepMs,
  }
}

/** `tick(input)`, unless the contract does without. */
export function tickCalls(contract: AnyContract, input: JsonObject): ModelCall[] {
  const method = contract.prediction.call?.tick ?? 'tick'
  return method === false ? [] : [{ method, arguments: [{ type: 'JSON', value: input }] }]
}

/** `predict(subject, horizon in seconds, step in seconds)`, unless the contract says otherwise. */
export function predictCall(contract: AnyContract, round: Round): ModelCall {
  const call = contract.prediction.call
  return {
    method: call?.predict ?? 'predict',
    arguments: call?.arguments?.(roundContext(round)) ?? [
      { type: 'STRING', value: round.scope.subject },
      { type: 'INT', value: Math.round(round.horizonMs / 1_000) },
      { type: 'INT', value: Math.round(round.stepMs / 1_000) },
    ],
  }
}
