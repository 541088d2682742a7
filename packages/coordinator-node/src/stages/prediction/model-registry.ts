import type { Model, ModelIdentity } from '../../domain/model.ts'
import type { Instant } from '../../domain/time.ts'
import type { Store } from '../../ports/store.ts'

/** Every model that this node has ever set up, in memory; each has a row in every round from its registration on. */
export interface ModelRegistry {
  /** In order of id. */
  models(): readonly Model[]
  /** Takes the connected models in; resolves when all models taken in so far are stored, by this call or an earlier one. */
  register(connected: readonly ModelIdentity[], at: Instant): Promise<void>
}

export async function loadModelRegistry(store: Pick<Store, 'models' | 'registerModels'>): Promise<ModelRegistry> {
  const known = new Map((await store.models()).map((model) => [model.id, model]))
  let ordered = sorted(known)
  // Rounds overlap: one that finds nothing new must still wait for what an earlier one is storing, or its answers would
  // reach the store before their models. A failure stays: what is known here is then not what is stored.
  let stored: Promise<void> = Promise.resolve()

  return {
    models: () => ordered,
    register(connected, at) {
      const changed = connected.filter((model) => !sameIdentity(known.get(model.id), model))
      if (changed.length === 0) return stored
      for (const model of changed) {
        const { registeredAt, retirements } = known.get(model.id) ?? { registeredAt: at, retirements: [] }
        known.set(model.id, { ...model, registeredAt, retirements })
      }
      ordered = sorted(known)
      stored = stored.then(() => store.registerModels(changed, at))
      return stored
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
