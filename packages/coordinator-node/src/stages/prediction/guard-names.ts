import { type Organizer, refusalOfName } from '../../domain/model-role.ts'
import type { Log } from '../../ports/log.ts'
import type { ModelRegistry } from './model-registry.ts'

/**
 * A registry that refuses models of participants that have the name of a baseline: they are not registered, and have no rows
 * for as long as they have that name. Each is told of once.
 */
export function guardNames(registry: ModelRegistry, organizer: Organizer, log: Log): ModelRegistry {
  let refused: ReadonlyMap<string, string> = new Map()
  return {
    models: () => (refused.size === 0 ? registry.models() : registry.models().filter(({ id }) => !refused.has(id))),
    register(connected, at) {
      const found = new Map<string, string>()
      for (const model of connected) {
        const reason = refusalOfName(model, organizer)
        if (reason === null) continue
        found.set(model.id, reason)
        if (refused.get(model.id) === reason) continue
        const fields = { stage: 'prediction', modelId: model.id, cruncherId: model.cruncherId, reason }
        log.error('a model is refused: it has no rows', fields)
      }
      refused = found
      return registry.register(
        connected.filter(({ id }) => !found.has(id)),
        at,
      )
    },
  }
}
