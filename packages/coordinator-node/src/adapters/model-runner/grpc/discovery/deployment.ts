import { printable } from '@crunch/local-processes'
import type { ModelState } from '@crunch/model-protocol'
import type { ModelIdentity } from '../../../../domain/models/model.ts'
import type { FailureTally } from '../fairness/failure-tally.ts'
import type { ModelLane } from '../model-lane.ts'

/** One announced run of a model: being set up until it has a lane. */
export interface Deployment {
  readonly modelId: string
  readonly deploymentId: string
  readonly ip: string
  readonly port: number
  /** The participant's keys, as announced together with this run. */
  readonly walletPubkey: string | null
  readonly hotkey: string | null
  identity: ModelIdentity
  lane: ModelLane | undefined
  /** Outlives a connection. */
  readonly tally: FailureTally
  /** Ends the set-up. */
  readonly abort: AbortController
}

/** `undefined` for states other than RUNNING: the protocol has already refused a RUNNING state without an address. */
export function createDeployment(state: ModelState, tally: FailureTally): Deployment | undefined {
  const { model_id: modelId, deployment_id: deploymentId, ip, port } = state
  if (ip === null || port === null) return undefined
  const keys = { walletPubkey: state.infos.cruncher_wallet_pubkey || null, hotkey: state.infos.cruncher_hotkey }
  const identity = identityOf(state)
  return { modelId, deploymentId, ip, port, ...keys, identity, lane: undefined, tally, abort: new AbortController() }
}

/** The same run, to be connected and set up again. */
export function renewDeployment(deployment: Deployment): Deployment {
  return { ...deployment, lane: undefined, abort: new AbortController() }
}

export function isSameRun(deployment: Deployment, state: ModelState): boolean {
  return deployment.deploymentId === state.deployment_id && deployment.ip === state.ip && deployment.port === state.port
}

export function endDeployment(deployment: Deployment): void {
  deployment.abort.abort()
  deployment.lane?.retire()
}

/** Local orchestrators send no names; the ids replace them. Control characters in names are made visible. */
export function identityOf({ model_id: id, deployment_id: deploymentId, infos }: ModelState): ModelIdentity {
  const cruncherId = infos.cruncher_id || infos.cruncher_wallet_pubkey || id
  return {
    id,
    name: printable(infos.model_name || id),
    deploymentId,
    cruncherId,
    cruncherName: printable(infos.cruncher_name || cruncherId),
  }
}
