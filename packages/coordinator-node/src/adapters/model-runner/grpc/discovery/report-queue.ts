import type { FailureReport } from '@crunch/model-protocol'

/** Beyond this number the oldest report is dropped; the orchestrator may never learn of that failure. */
export const MAX_QUEUED_REPORTS = 1_000

export interface QueuedReport {
  readonly deploymentId: string
  readonly report: FailureReport
}

/** Failure reports that could not be sent yet. */
export interface ReportQueue {
  /** Returns the report that was dropped to make room, if any. */
  add(queued: QueuedReport): QueuedReport | undefined
  /**
   * Empties the queue. Messages name no deployment, so a report about one that is no longer announced would be taken for
   * its successor's: such reports are dropped.
   */
  takeFor(deploymentIds: ReadonlySet<string>): readonly QueuedReport[]
}

export function createReportQueue(limit = MAX_QUEUED_REPORTS): ReportQueue {
  let waiting: QueuedReport[] = []
  return {
    add(queued) {
      waiting.push(queued)
      return waiting.length > limit ? waiting.shift() : undefined
    },
    takeFor(deploymentIds) {
      const wanted = waiting.filter(({ deploymentId }) => deploymentIds.has(deploymentId))
      waiting = []
      return wanted
    },
  }
}
