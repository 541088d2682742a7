import type { Model, ModelIdentity } from '../../domain/model.ts'
import type { Instant } from '../../domain/time.ts'
import type { Store } from '../../ports/store.ts'

/** Every model that this node has ever set up, in memory; each has a row in every round from its registration on. */
export interface ModelRegistry {
  /** In order of id. */
  models(): readonly Model[]
  /** Takes the connected models in; resolves when new or changed ones are stored. */
  register(connected: readonly ModelIdentity[], at: Instant): Promise<void>
}

export async function loadModelRegistry(store: Pick<Store, 'models' | 'registerModels'>): Promise<ModelRegistry> {
  const known = new Map((await store.models()).map((model) => [model.id, model]))
  let ordered = sorted(known)

  return {
    models: () => ordered,
    async register(connected, at) {
      const changed = connected.filter((model) => !sameIdentity(known.get(model.id), model))
      if (changed.length === 0) return
      for (const model of changed) {
        known.set(model.id, { ...model, registeredAt: known.get(model.id)?.registeredAt ?? at })
      }
      ordered = sorted(known)
      await store.registerModels(changed, at)
    },
  }
}

function sorted(models: ReadonlyMap<string, Model>): readonly Model[] {
  return [...models.values()].sort((left, right) => (left.id < right.id ? -1 : 1))
}

function sameIdentity(known: Model | undefined, model: ModelIdentity): boolean {
  return (
    known !== undefined &&
    known.name === model.name &&
    known.deploymentId === model.deploymentId &&
    known.cruncherId === model.cruncherId &&
    known.cruncherName === model.cruncherName
  )
}
