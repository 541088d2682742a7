import { present } from '../../domain/errors.ts'
import {
  beginRetirement,
  endRetirement,
  type Model,
  type ModelIdentity,
  type Retirement,
} from '../../domain/models/model.ts'
import { announcedIdOf, type Holders, holdersOf, isRefusal, judgeClaim } from '../../domain/models/model-history.ts'
import { type Organizer, refusalOfName, refusalOfRename } from '../../domain/models/model-role.ts'
import type { Instant } from '../../domain/time.ts'
import type { ModelRunner } from '../../ports/model-runner.ts'
import type { ModelStore, RetiringModel } from '../../ports/store-models.ts'
import type { RoundStore } from '../../ports/store-rounds.ts'

/** Every model that this node has ever set up, in memory; each has a row in every round that it takes part in. */
export interface ModelRegistry {
  /** In order of id. */
  models(): readonly Model[]
  /**
   * Reads from the runner at an instant which models are new, retire, return or are refused. Rounds of one instant have the
   * same models: a change detected at an already observed instant takes effect after it.
   */
  observe(runner: ObservedRunner, at: Instant): Observation
}

export type ObservedRunner = Pick<ModelRunner, 'models' | 'reachable' | 'retirementOf'>

export interface Observation {
  /** The history id of each connected model that may be called, by its id in the runner. */
  readonly histories: ReadonlyMap<string, string>
  /** Ids of connected models that must not be called. */
  readonly refused: ReadonlySet<string>
  /** Changes since the last observation. */
  readonly changes: readonly RegistryChange[]
  /** Resolves when all observations so far are stored. */
  readonly stored: Promise<void>
}

export interface RegistryChange {
  readonly kind: 'refused' | 'retired' | 'returned'
  readonly modelId: string
  /** The announced id of a refused model. */
  readonly cruncherId: string | undefined
  readonly reason: string
}

type RegistryStore = Omit<ModelStore, 'reassignModel'> & Pick<RoundStore, 'lastRoundTimes'>

export async function loadModelRegistry(store: RegistryStore, organizer: Organizer): Promise<ModelRegistry> {
  const models = await store.models()
  const holders = holdersOf(await store.reassignments())
  // An earlier process may have opened a round at the instant at which this one opens its first.
  const lastRoundAt = Math.max(...(await store.lastRoundTimes()).values())
  return new StoredRegistry(store, organizer, models, holders, lastRoundAt)
}

class StoredRegistry implements ModelRegistry {
  readonly #store: RegistryStore
  readonly #organizer: Organizer
  readonly #known: Map<string, Model>
  readonly #deployments = new Map<string, string>()
  #holders: Holders
  #refusals: ReadonlyMap<string, string> = new Map()
  #ordered: readonly Model[]
  /** The newest instant for which the models are decided. */
  #decidedAt: Instant
  // Rounds overlap: even a round without changes must wait for earlier ones to be stored; otherwise its answers could reach
  // the store before their models. A failure is permanent, because memory and store then differ.
  #stored: Promise<void> = Promise.resolve()

  constructor(
    store: RegistryStore,
    organizer: Organizer,
    models: readonly Model[],
    holders: Holders,
    decidedAt: Instant,
  ) {
    this.#store = store
    this.#decidedAt = decidedAt
    this.#organizer = organizer
    this.#known = new Map(models.map((model) => [model.id, model]))
    this.#holders = holders
    this.#ordered = inOrderOfId(this.#known)
    for (const model of models) this.#noteDeployment(model)
  }

  models(): readonly Model[] {
    return this.#ordered
  }

  observe(runner: ObservedRunner, instant: Instant): Observation {
    const at = Math.max(instant, this.#decidedAt + 1)
    this.#decidedAt = Math.max(instant, this.#decidedAt)
    const announced = runner.models()
    const { accepted, refusals, misnamed } = this.#judgeClaims(announced)
    const changed = [...accepted.values()].filter((model) => !isSameIdentity(this.#known.get(model.id), model))
    // A model that was never seen before is registered anyway, and retires at once, so that its owner can read the
    // reason.
    changed.push(...misnamed.filter(({ id }) => !this.#known.has(id)))
    for (const model of changed) this.#register(model, at)
    if (changed.length > 0) this.#ordered = inOrderOfId(this.#known)
    const connected = new Set([...accepted.values()].map(({ id }) => id))
    const returning = this.#ordered.filter((model) => connected.has(model.id) && isOpen(model)).map(({ id }) => id)
    const retiring = this.#retiring(runner, connected, refusals)
    const renewed = retiring.map(({ modelId }) => modelId).filter((id) => this.#isOpen(id))
    const ending = [...returning, ...renewed]
    for (const id of ending) this.#retire(id, (retirements) => endRetirement(retirements, at))
    for (const { modelId, reason } of retiring) {
      this.#retire(modelId, (retirements) => beginRetirement(retirements, at, reason))
    }
    if (changed.length + returning.length + retiring.length > 0) {
      this.#ordered = inOrderOfId(this.#known)
      this.#write(async () => {
        if (changed.length > 0) await this.#store.registerModels(changed, at)
        if (ending.length > 0) await this.#store.endRetirements(ending, at)
        if (retiring.length > 0) await this.#store.beginRetirements(retiring, at)
      })
    }
    // The operator may have decided in the meantime; a decision found now takes effect from the next observation on.
    if (refusals.size > 0) {
      this.#write(async () => {
        this.#holders = holdersOf(await this.#store.reassignments())
      })
    }
    const changes = this.#changes(announced, refusals, retiring, returning)
    this.#refusals = refusals
    return {
      histories: new Map([...accepted].map(([id, model]) => [id, model.id])),
      refused: new Set(refusals.keys()),
      changes,
      stored: this.#stored,
    }
  }

  #changes(
    announced: readonly ModelIdentity[],
    refusals: ReadonlyMap<string, string>,
    retiring: readonly RetiringModel[],
    returning: readonly string[],
  ): readonly RegistryChange[] {
    const refused = [...refusals].filter(([id, reason]) => this.#refusals.get(id) !== reason)
    const known = (modelId: string) => ({ modelId, cruncherId: this.#known.get(modelId)?.cruncherId })
    return [
      ...refused.map(([modelId, reason]) => {
        const cruncherId = announced.find(({ id }) => id === modelId)?.cruncherId
        return { kind: 'refused' as const, modelId, cruncherId, reason }
      }),
      ...retiring.map(({ modelId, reason }) => ({ kind: 'retired' as const, ...known(modelId), reason })),
      ...returning.map((modelId) => ({ kind: 'returned' as const, ...known(modelId), reason: 'it runs again' })),
    ]
  }

  #judgeClaims(connected: readonly ModelIdentity[]) {
    const accepted = new Map<string, ModelIdentity>()
    const refusals = new Map<string, string>()
    const misnamed: ModelIdentity[] = []
    for (const model of connected) {
      const claim = judgeClaim(model, this.#known, this.#holders, this.#deployments)
      if ('problem' in claim) {
        refusals.set(model.id, claim.problem)
        continue
      }
      const own = claim.historyId === model.id ? model : { ...model, id: claim.historyId }
      const refusal = refusalOfName(model, this.#organizer) ?? this.#refusalOfRename(own)
      if (refusal === null) accepted.set(model.id, own)
      else {
        refusals.set(model.id, refusal)
        misnamed.push(own)
      }
      this.#noteDeployment(model)
    }
    return { accepted, refusals, misnamed }
  }

  #retiring(
    runner: ObservedRunner,
    connected: ReadonlySet<string>,
    refusals: ReadonlyMap<string, string>,
  ): readonly RetiringModel[] {
    const isReachable = runner.reachable()
    return this.#ordered.flatMap((model) => {
      const stated = isOpen(model) ? model.retirements.at(-1)?.reason : undefined
      if (connected.has(model.id)) return []
      const id = announcedIdOf(model.id)
      const holder = this.#holders.get(id)
      const reason =
        (holder !== undefined && holder.historyId !== model.id
          ? `its id was given to cruncher "${holder.cruncherId}", whose history is ${holder.historyId}`
          : refusals.get(id)) ?? (isReachable ? runner.retirementOf(id) : null)
      if (reason === null) return []
      // A retirement keeps its first reason, unless a decision of the operator becomes necessary or unnecessary.
      if (stated !== undefined && isRefusal(stated) === isRefusal(reason)) return []
      return [{ modelId: model.id, reason }]
    })
  }

  #refusalOfRename(model: ModelIdentity): string | null {
    const known = this.#known.get(model.id)
    return known === undefined ? null : refusalOfRename(known, model, this.#organizer)
  }

  #isOpen(id: string): boolean {
    const model = this.#known.get(id)
    return model !== undefined && isOpen(model)
  }

  #register(model: ModelIdentity, at: Instant): void {
    const { registeredAt, retirements } = this.#known.get(model.id) ?? { registeredAt: at, retirements: [] }
    this.#known.set(model.id, { ...model, registeredAt, retirements })
  }

  #retire(id: string, after: (retirements: readonly Retirement[]) => readonly Retirement[]): void {
    const model = present(this.#known.get(id), `model ${id}`)
    this.#known.set(id, { ...model, retirements: after(model.retirements) })
  }

  #noteDeployment({ id, deploymentId }: Pick<ModelIdentity, 'id' | 'deploymentId'>): void {
    if (!this.#deployments.has(deploymentId)) this.#deployments.set(deploymentId, announcedIdOf(id))
  }

  #write(action: () => Promise<void>): void {
    this.#stored = this.#stored.then(action)
  }
}

function isOpen({ retirements }: Model): boolean {
  return retirements.at(-1)?.until === null
}

function inOrderOfId(models: ReadonlyMap<string, Model>): readonly Model[] {
  return [...models.values()].sort((left, right) => (left.id < right.id ? -1 : 1))
}

function isSameIdentity(known: Model | undefined, model: ModelIdentity): boolean {
  return (
    known !== undefined &&
    known.name === model.name &&
    known.deploymentId === model.deploymentId &&
    known.cruncherId === model.cruncherId &&
    known.cruncherName === model.cruncherName
  )
}
