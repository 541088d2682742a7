import { announcedIdOf } from '../../domain/model-history.ts'
import { type Organizer, refusalOfName } from '../../domain/model-role.ts'
import type { ModelRegistry, RegistryChange } from './model-registry.ts'

/**
 * A registry that refuses models of participants that have the name of a baseline: they are not registered, not called, and
 * have no rows for as long as they have that name. Each is told of once.
 */
export function guardNames(registry: ModelRegistry, organizer: Organizer): ModelRegistry {
  let refused: ReadonlyMap<string, string> = new Map()
  return {
    models() {
      if (refused.size === 0) return registry.models()
      return registry.models().filter(({ id }) => !refused.has(announcedIdOf(id)))
    },
    observe(runner, at) {
      const found = new Map<string, string>()
      const news: RegistryChange[] = []
      const connected = runner.models()
      for (const model of connected) {
        const reason = refusalOfName(model, organizer)
        if (reason === null) continue
        found.set(model.id, reason)
        if (refused.get(model.id) !== reason) news.push({ kind: 'refused', modelId: model.id, reason })
      }
      refused = found
      const others: typeof runner = {
        models: () => (found.size === 0 ? connected : connected.filter(({ id }) => !found.has(id))),
        reachable: () => runner.reachable(),
        retirementOf: (id) => runner.retirementOf(id),
      }
      const observed = registry.observe(others, at)
      if (found.size === 0) return observed
      return {
        ...observed,
        refused: new Set([...observed.refused, ...found.keys()]),
        changes: [...news, ...observed.changes],
      }
    },
  }
}
