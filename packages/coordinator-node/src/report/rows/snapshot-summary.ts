import { type Snapshot, snapshotMeans } from '../../domain/snapshot.ts'
import type { ReportContract } from '../report-context.ts'
import { allNames, numbersOf } from './row-fields.ts'

/** The metrics of a snapshot and the means of its score fields: every one of the contract, and those of earlier contracts. */
export function snapshotSummary(snapshot: Snapshot, contract: ReportContract): Record<string, number | null> {
  const means = snapshotMeans(snapshot)
  const summary = numbersOf(allNames(contract.metrics, snapshot.metrics), snapshot.metrics)
  return Object.assign(summary, numbersOf(allNames(contract.scoreFields, means), means))
}
