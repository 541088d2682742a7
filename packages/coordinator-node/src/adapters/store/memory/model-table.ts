import { CrunchError } from '../../../domain/errors.ts'
import {
  beginRetirement,
  endRetirement,
  type Model,
  type ModelIdentity,
  type Retirement,
} from '../../../domain/models/model.ts'
import { historyIdOf, type Reassignment } from '../../../domain/models/model-history.ts'
import type { Instant } from '../../../domain/time.ts'
import type { RetiringModel } from '../../../ports/store-models.ts'
import { compareText } from '../compare-text.ts'

export interface ModelTable {
  register(identities: readonly ModelIdentity[], at: Instant): void
  beginRetirements(retiring: readonly RetiringModel[], from: Instant): void
  endRetirements(modelIds: readonly string[], until: Instant): void
  reassign(modelId: string, cruncherId: string, at: Instant): Reassignment | null
  reassignments(): readonly Reassignment[]
  /** Throws `NOT_FOUND` unless the model is registered. */
  require(id: string): void
  /** Ordered by id. */
  all(): readonly Model[]
}

export function createModelTable(): ModelTable {
  const models = new Map<string, Model>()
  const reassignments: Reassignment[] = []

  function requireModel(id: string): void {
    if (models.has(id)) return
    throw new CrunchError('NOT_FOUND', `model "${id}" is not registered: call registerModels first`)
  }

  function change(id: string, retirementsAfter: (before: readonly Retirement[]) => readonly Retirement[]): void {
    const model = models.get(id)
    if (model !== undefined) models.set(id, { ...model, retirements: retirementsAfter(model.retirements) })
  }

  return {
    register(identities, at) {
      for (const { id, name, deploymentId, cruncherName, ...announced } of identities) {
        const first = { cruncherId: announced.cruncherId, registeredAt: at, retirements: [] }
        const { cruncherId, registeredAt, retirements } = models.get(id) ?? first
        models.set(id, { id, name, deploymentId, cruncherId, cruncherName, registeredAt, retirements })
      }
    },
    beginRetirements(retiring, from) {
      for (const { modelId } of retiring) requireModel(modelId)
      for (const { modelId, reason } of retiring) change(modelId, (before) => beginRetirement(before, from, reason))
    },
    endRetirements(modelIds, until) {
      for (const id of modelIds) change(id, (before) => endRetirement(before, until))
    },
    reassign(modelId, cruncherId, at) {
      requireModel(modelId)
      const earlier = reassignments.filter((one) => one.modelId === modelId)
      if ((earlier.at(-1) ?? models.get(modelId))?.cruncherId === cruncherId) return null
      const made = { modelId, historyId: historyIdOf(modelId, earlier.length + 2), cruncherId, at }
      reassignments.push(made)
      return made
    },
    reassignments: () => [...reassignments].sort((left, right) => compareText(left.modelId, right.modelId)),
    require: requireModel,
    all: () => [...models.values()].sort((left, right) => compareText(left.id, right.id)),
  }
}
