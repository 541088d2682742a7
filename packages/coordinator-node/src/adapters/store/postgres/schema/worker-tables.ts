import { pgTable } from 'drizzle-orm/pg-core'
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
