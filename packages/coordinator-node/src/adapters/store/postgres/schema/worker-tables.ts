import { sql } from 'drizzle-orm'
import { check, pgTable, uniqueIndex } from 'drizzle-orm/pg-core'
import { count, instant, text } from './columns.ts'

/** One row per worker. All times are the server's; the next heartbeat is expected at `dueAt`; `problem`: why its newest pass failed. */
export const workerHeartbeats = pgTable('worker_heartbeats', {
  worker: text('worker').primaryKey(),
  beatAt: instant('beat_at').notNull(),
  dueAt: instant('due_at').notNull(),
  workedAt: instant('worked_at'),
  problem: text('problem'),
})

/** Holders of exclusive rights, in addition to the session lock of the same name. `holder` is null after a release. */
export const leases = pgTable('leases', {
  name: text('name').primaryKey(),
  holder: text('holder'),
  /** Grows with each new holder; writes under an older one are refused. */
  generation: count('generation').notNull(),
  takenAt: instant('taken_at').notNull(),
  /** Time of the database clock. */
  heartbeatAt: instant('heartbeat_at').notNull(),
})

/** Keys of the report API, without their secrets. Those that have ended stay, so that the list shows them. */
export const apiKeys = pgTable(
  'api_keys',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    scope: text('scope').notNull(),
    cruncherId: text('cruncher_id'),
    /** SHA-256 in hexadecimal digits. */
    hash: text('hash').notNull(),
    createdAt: instant('created_at').notNull(),
    endsAt: instant('ends_at'),
    endReason: text('end_reason'),
  },
  (table) => [
    uniqueIndex('api_keys_current').on(table.name).where(sql`ends_at is null`),
    check('api_keys_scope', sql`${table.scope} in ('read', 'admin', 'participant')`),
    check('api_keys_cruncher', sql`(${table.scope} = 'participant') = (${table.cruncherId} is not null)`),
    check('api_keys_end', sql`(${table.endsAt} is null) = (${table.endReason} is null)`),
  ],
)
