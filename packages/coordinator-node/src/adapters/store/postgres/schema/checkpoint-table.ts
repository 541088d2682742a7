import { sql } from 'drizzle-orm'
import { check, doublePrecision, jsonb, pgTable, uniqueIndex } from 'drizzle-orm/pg-core'
import { count, era, instant, text } from './columns.ts'

export const checkpoints = pgTable(
  'checkpoints',
  {
    id: text('id').primaryKey(),
    era: era(),
    periodStart: instant('period_start').notNull(),
    // Also used by all reads: there are too few checkpoints for an index on the status.
    periodEnd: instant('period_end').notNull().unique('checkpoints_period'),
    status: text('status').notNull(),
    snapshotCount: count('snapshot_count').notNull(),
    contractVersions: jsonb('contract_versions').notNull().default({}),
    entries: jsonb('entries').notNull(),
    floor: doublePrecision('floor'),
    emissionReason: text('emission_reason'),
    refusals: jsonb('refusals').notNull().default([]),
    acknowledgedBy: text('acknowledged_by'),
    acknowledgedAt: instant('acknowledged_at'),
    crunch: text('crunch'),
    computeProvider: text('compute_provider'),
    dataProvider: text('data_provider'),
    transactionId: text('transaction_id'),
    submittedAt: instant('submitted_at'),
    moves: jsonb('moves').notNull().default([]),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [
    check('checkpoints_status', sql`${table.status} in ('PENDING', 'SUBMITTED', 'CLAIMABLE', 'PAID')`),
    // One transaction pays one checkpoint.
    uniqueIndex('checkpoints_transaction').on(table.transactionId),
  ],
)
