import { CrunchError } from '../../../domain/errors.ts'
import {
  beginRetirement,
  endRetirement,
  type Model,
  type ModelIdentity,
  type Retirement,
} from '../../../domain/model.ts'
import type { Instant } from '../../../domain/time.ts'
import type { RetiringModel } from '../../../ports/store.ts'
import { compareText } from '../compare-text.ts'

export interface ModelTable {
  register(identities: readonly ModelIdentity[], at: Instant): void
  beginRetirements(retiring: readonly RetiringModel[], from: Instant): void
  endRetirements(modelIds: readonly string[], until: Instant): void
  /** Throws `NOT_FOUND` unless the model is registered. */
  require(id: string): void
  /** In order of id. */
  all(): readonly Model[]
}

export function createModelTable(): ModelTable {
  const models = new Map<string, Model>()

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
      for (const { id, name, deploymentId, cruncherId, cruncherName } of identities) {
        const { registeredAt, retirements } = models.get(id) ?? { registeredAt: at, retirements: [] }
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
    require: requireModel,
    all: () => [...models.values()].sort((left, right) => compareText(left.id, right.id)),
  }
}
