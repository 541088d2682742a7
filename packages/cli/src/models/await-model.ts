import { CliError } from '../cli-error.ts'
import { abortableDelay } from '../logs/follow-logs.ts'
import type { ModelFailure, OrchestratorClient, OrchestratorModel } from './orchestrator-client.ts'

const pollMs = 250

/** How a wait for a model ended. */
export type AwaitedModel =
  | { readonly outcome: 'serves'; readonly model: OrchestratorModel }
  | { readonly outcome: 'failed'; readonly failure: ModelFailure }
  /** `last` says what the wait came to; the wait was too short, or the operator ended it. */
  | { readonly outcome: 'late' | 'interrupted'; readonly last: string }

/** What is known of a model before it is changed; a model that is new has no such past. */
export type ModelPast = Pick<OrchestratorModel, 'deploymentId' | 'lastFailure'>

/**
 * Waits until a run of the model serves that did not serve before, or a run has failed since. An orchestrator that does not
 * answer may only be starting, and is waited for.
 */
export async function awaitModel(input: {
  readonly orchestrator: OrchestratorClient
  readonly id: string
  readonly past: ModelPast | undefined
  readonly limitMs: number
  readonly signal: AbortSignal
}): Promise<AwaitedModel> {
  const { orchestrator, id, past, limitMs, signal } = input
  const deadlineMs = performance.now() + limitMs
  let last = 'the orchestrator has not read the models file yet'
  while (performance.now() < deadlineMs) {
    if (signal.aborted) return { outcome: 'interrupted', last }
    try {
      const model = (await orchestrator.models()).find((candidate) => candidate.id === id)
      if (model !== undefined) {
        const { deploymentId, lastFailure, status } = model
        if (status === 'RUNNER_RUNNING' && deploymentId !== (past?.deploymentId ?? null)) {
          return { outcome: 'serves', model }
        }
        if (lastFailure !== null && !isSame(lastFailure, past?.lastFailure ?? null)) {
          return { outcome: 'failed', failure: lastFailure }
        }
        last = `it is ${status}${model.statusMessage === null ? '' : ` (${model.statusMessage})`}`
      }
    } catch (error) {
      if (!(error instanceof CliError)) throw error
      last = error.problem.cause
    }
    await abortableDelay(pollMs, signal)
  }
  return { outcome: 'late', last }
}

function isSame(failure: ModelFailure, other: ModelFailure | null): boolean {
  return other !== null && failure.at === other.at && failure.deploymentId === other.deploymentId
}
