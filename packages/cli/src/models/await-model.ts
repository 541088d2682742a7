import { wait } from '@crunch/local-processes'
import { CliError } from '../cli-error.ts'
import type { ReportClient } from '../report-api/report-client.ts'
import type { ModelFailure, OrchestratorClient, OrchestratorModel } from './orchestrator-client.ts'

const pollMs = 250
/** A node sets up a model as soon as it is announced, and reports a failed set-up at once. */
const setupPatienceMs = 5_000

/** The result of waiting for a model. */
export type AwaitedModel =
  /** `isCalled`: the node has also called the model in a round. */
  | { readonly outcome: 'serves'; readonly model: OrchestratorModel; readonly isCalled: boolean }
  | { readonly outcome: 'failed'; readonly failure: ModelFailure }
  /** The wait was too short, or the operator ended it. `last` is the last known state. */
  | { readonly outcome: 'late' | 'interrupted'; readonly last: string }

/** The state of a model before a change; undefined for a new model. */
export type ModelPast = Pick<OrchestratorModel, 'deploymentId' | 'lastFailure'>

/**
 * Waits until a new run of this submission serves or fails. A run of an older submission is ignored. The node can refuse a model
 * that serves, so this also waits briefly for the node. An orchestrator that does not answer may be starting, so the wait continues.
 */
export async function awaitModel(input: {
  readonly orchestrator: Pick<OrchestratorClient, 'models'>
  readonly node: Pick<ReportClient, 'models'>
  readonly id: string
  readonly submissionId: string
  readonly past: ModelPast | undefined
  readonly limitMs: number
  readonly signal: AbortSignal
}): Promise<AwaitedModel> {
  const { orchestrator, node, id, submissionId, past, limitMs, signal } = input
  const deadlineMs = performance.now() + limitMs
  let servesSinceMs: number | undefined
  let last = 'the orchestrator has not read the models file yet'
  while (performance.now() < deadlineMs) {
    if (signal.aborted) return { outcome: 'interrupted', last }
    try {
      const model = (await orchestrator.models()).find((candidate) => candidate.id === id)
      if (model !== undefined) {
        const { deploymentId, deployedSubmissionId, lastFailure, status } = model
        const isOurs = (found: string | null) => found === null || found === submissionId
        if (lastFailure !== null && isOurs(lastFailure.submissionId) && !isSame(lastFailure, past?.lastFailure)) {
          return { outcome: 'failed', failure: lastFailure }
        }
        const isNew = deploymentId !== (past?.deploymentId ?? null) && isOurs(deployedSubmissionId)
        if (status === 'RUNNER_RUNNING' && isNew) {
          servesSinceMs ??= performance.now()
          const called = await isCalledBy(node, id, deploymentId)
          const isOver = called !== false || performance.now() - servesSinceMs > setupPatienceMs
          if (isOver) return { outcome: 'serves', model, isCalled: called === true }
        }
        last = `it is ${status}${model.statusMessage === null ? '' : ` (${model.statusMessage})`}`
      }
    } catch (error) {
      if (!(error instanceof CliError)) throw error
      last = error.problem.cause
    }
    await wait(pollMs, signal)
  }
  return { outcome: 'late', last }
}

/** `undefined` without a node that could refuse the model. */
async function isCalledBy(
  node: Pick<ReportClient, 'models'>,
  id: string,
  deploymentId: string | null,
): Promise<boolean | undefined> {
  try {
    return (await node.models()).some((row) => row.model_id === id && row.deployment_id === deploymentId)
  } catch (error) {
    if (error instanceof CliError) return undefined
    throw error
  }
}

function isSame(failure: ModelFailure, other: ModelFailure | null | undefined): boolean {
  return failure.at === other?.at && failure.deploymentId === other.deploymentId
}
