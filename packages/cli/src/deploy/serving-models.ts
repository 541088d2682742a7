import { stateOf } from '../models/models-state.ts'
import type { OrchestratorModel } from '../models/orchestrator-client.ts'
import { oneLine } from '../terminal/printable.ts'

/** Only a few models, to leave room for the board; `crunch models` lists all of them. */
const maxShown = 3
const maxReasonLength = 100

/** The number of wanted models that serve, and one line with a shortened reason for each that does not. */
export function describeServing(models: readonly OrchestratorModel[]): readonly string[] {
  const wanted = models.filter(isWanted)
  const others = wanted.filter((model) => stateOf(model) !== 'RUNNING')
  const more = others.length - maxShown
  return [
    `${wanted.length - others.length} of ${wanted.length} models serve`,
    ...others.slice(0, maxShown).map(describeOther),
    ...(more > 0 ? [`${more} more models do not serve; list them with: crunch models`] : []),
  ]
}

/** A model that its owner has stopped is not expected to serve. */
function isWanted({ desiredState, status }: OrchestratorModel): boolean {
  return desiredState === null ? status !== 'RUNNER_STOPPED' : desiredState === 'RUNNING'
}

function describeOther(model: OrchestratorModel): string {
  const { id, name, lastFailure, statusMessage } = model
  const reason = lastFailure === null ? statusMessage : `${lastFailure.code}: ${lastFailure.reason}`
  const why = reason === null || reason === '' ? '' : `: ${oneLine(reason, maxReasonLength)}`
  return `model ${name ?? id} is ${stateOf(model)}${why}`
}
