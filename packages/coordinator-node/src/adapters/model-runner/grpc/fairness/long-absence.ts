/**
 * A model that has not run for this long is retired, whatever state the orchestrator reports. Until then its rounds score as
 * missing, so that stopping a model before hard-looking rounds costs more than it saves.
 */
const retiredAfterMs = 24 * 3_600_000

/** Tracks how long models have not run. In wall time, because it concerns processes: a replay passes a day within seconds. */
export interface LongAbsence {
  /** Why a model that does not run is retired, or `null`. Its time starts at the first call for it. */
  retirementOf(modelId: string): string | null
  serving(modelId: string): void
  /** A new session with the orchestrator: nothing is known about the time before it. */
  begin(): void
}

/** @param nowMs a monotonic clock */
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
