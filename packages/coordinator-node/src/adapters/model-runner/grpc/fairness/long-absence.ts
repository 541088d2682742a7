/**
 * A model that has not run for so long is retired, whatever the orchestrator says of it. Until then its rounds score as
 * missing, so that stopping a model before rounds that look hard costs more than it saves.
 */
const retiredAfterMs = 24 * 3_600_000

/** How long models have not run. Wall time, as for everything that is about processes: a replay passes a day in no time. */
export interface LongAbsence {
  /** Why a model that does not run takes no part any more; `null` before that. The time runs from the first question on. */
  retirementOf(modelId: string): string | null
  serving(modelId: string): void
  /** Another session with the orchestrator: what was before it is not known. */
  begin(): void
}

/** @param nowMs a clock that only goes forward */
export function createLongAbsence(nowMs: () => number = () => performance.now()): LongAbsence {
  const sinceMs = new Map<string, number>()
  return {
    retirementOf(modelId) {
      const since = sinceMs.get(modelId) ?? nowMs()
      sinceMs.set(modelId, since)
      return nowMs() - since < retiredAfterMs ? null : `it has not run for ${retiredAfterMs / 3_600_000} h`
    },
    serving(modelId) {
      sinceMs.delete(modelId)
    },
    begin() {
      sinceMs.clear()
    },
  }
}
