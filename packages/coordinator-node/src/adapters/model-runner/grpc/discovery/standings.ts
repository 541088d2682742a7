import type { ModelStanding } from '@crunch/model-protocol'

/** What the orchestrator said that it intends with its models. */
export interface Standings {
  /** `null` where the orchestrator does not report standings; deployed ones do not. */
  take(event: 'init' | 'update', standings: readonly ModelStanding[] | null): void
  /** Why a model takes no part any more; `null` for one that may come back, and where nothing is known. */
  retirementOf(modelId: string): string | null
}

export function createStandings(): Standings {
  // Of every model that the orchestrator lists; `null` until an orchestrator has reported them.
  let quarantines: Map<string, string | null> | null = null
  return {
    take(event, standings) {
      if (event === 'init') quarantines = standings === null ? null : new Map()
      if (quarantines === null || standings === null) return
      for (const { model_id: modelId, standing, reason } of standings) {
        if (standing === 'REMOVED') quarantines.delete(modelId)
        else quarantines.set(modelId, standing === 'LISTED' ? null : (reason ?? 'no reason given'))
      }
    },
    retirementOf(modelId) {
      if (quarantines === null) return null
      const reason = quarantines.get(modelId)
      if (reason === undefined) return 'it was removed: the model orchestrator no longer lists it'
      return reason === null ? null : `it is in quarantine: ${reason}`
    },
  }
}
