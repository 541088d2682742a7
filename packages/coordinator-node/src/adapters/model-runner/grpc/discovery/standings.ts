import type { ModelStanding } from '@crunch/model-protocol'

/** The standing of each model as the orchestrator reports it: listed, in quarantine, or removed. */
export interface Standings {
  /** `null` where the orchestrator does not report standings; deployed ones do not. */
  take(event: 'init' | 'update', standings: readonly ModelStanding[] | null): void
  /** Why a model no longer takes part; `null` if it may return or if its standing is unknown. */
  retirementOf(modelId: string): string | null
}

export function createStandings(): Standings {
  // The standing of every model that the orchestrator lists; `null` until an orchestrator has reported standings.
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
