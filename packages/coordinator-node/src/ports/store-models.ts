import type { Model, ModelIdentity } from '../domain/models/model.ts'
import type { Reassignment } from '../domain/models/model-history.ts'
import type { Instant } from '../domain/time.ts'

export interface RetiringModel {
  readonly modelId: string
  readonly reason: string
}

/** What is known about the models. */
export interface ModelReads {
  /** In order of id. */
  models(): Promise<readonly Model[]>
  /** In order of model id, each id's in the order in which they were made. */
  reassignments(): Promise<readonly Reassignment[]>
}

/** Models, their histories and retirements. */
export interface ModelStore extends ModelReads {
  /** Adds models, or refreshes their names and deployment; `registeredAt` and `cruncherId` are kept from the first time. */
  registerModels(models: readonly ModelIdentity[], at: Instant): Promise<void>
  /**
   * Retires models from `from` on, as `beginRetirement` says: one that is retired already stays so, with its first reason.
   * Every model must be registered: `NOT_FOUND`, and then nothing was changed.
   */
  beginRetirements(models: readonly RetiringModel[], from: Instant): Promise<void>
  /** Ends the open retirements of these models, as `endRetirement` says; those without one stay as they are. */
  endRetirements(modelIds: readonly string[], until: Instant): Promise<void>
  /**
   * Records that an announced id belongs to another cruncher from now on, with a history of its own; `null`, and nothing was
   * changed, when it belongs to that cruncher already. The id must be registered: `NOT_FOUND`.
   */
  reassignModel(modelId: string, cruncherId: string, at: Instant): Promise<Reassignment | null>
}
