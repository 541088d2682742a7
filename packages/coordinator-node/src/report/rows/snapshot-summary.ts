import { type Snapshot, snapshotMeans } from '../../domain/snapshot.ts'
import type { ReportContract } from '../report-context.ts'
import { numbersOf } from './row-fields.ts'

/** The metrics of a snapshot and the means of its score fields: every one of the contract, and those of earlier contracts. */
export function snapshotSummary(snapshot: Snapshot, contract: ReportContract): Record<string, number | null> {
  const means = snapshotMeans(snapshot)
  return {
    ...numbersOf([...new Set([...contract.metrics, ...Object.keys(snapshot.metrics)])], snapshot.metrics),
    ...numbersOf([...new Set([...contract.scoreFields, ...Object.keys(means)])], means),
  }
}
