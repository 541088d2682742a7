import type { Checkpoint } from '../../../../domain/checkpoint.ts'
import type { Instant } from '../../../../domain/time.ts'
import type { Query } from '../session/connect.ts'

export interface CheckpointRow extends Omit<Checkpoint, 'acknowledged'> {
  readonly acknowledgedBy: string | null
  readonly acknowledgedAt: Instant | null
}

export const checkpointColumns = (sql: Query) => sql`
  id, era, period_start as "periodStart", period_end as "periodEnd", status, snapshot_count as "snapshotCount",
  contract_versions as "contractVersions", entries, floor, emission_reason as "emissionReason", refusals,
  acknowledged_by as "acknowledgedBy", acknowledged_at as "acknowledgedAt", crunch,
  compute_provider as "computeProvider", data_provider as "dataProvider", transaction_id as "transactionId",
  submitted_at as "submittedAt", moves, created_at as "createdAt"`

export function checkpointOf({ acknowledgedBy: by, acknowledgedAt: at, ...row }: CheckpointRow): Checkpoint {
  return { ...row, acknowledged: by === null || at === null ? null : { by, at } }
}
