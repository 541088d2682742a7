import type { Instant } from './time.ts'

/** A participant's model, as the orchestrator announced it. */
export interface ModelIdentity {
  readonly id: string
  readonly name: string
  readonly deploymentId: string
  readonly cruncherId: string
  readonly cruncherName: string
}

/** A model that this node has once set up; from then on every round has a row for it. */
export interface Model extends ModelIdentity {
  readonly registeredAt: Instant
}
