import type { TestDatabase } from '@crunch/embedded-postgres/test-database'
import postgres from 'postgres'
import { afterAll } from 'vitest'
import { createMigratedDatabase } from '../../../../test/migrated-database.ts'
import { storeTestsuite } from '../../../ports/store.testsuite.ts'
import type { Store } from '../../../ports/store.ts'
import { openPostgresStore } from './postgres-store.ts'

// One database for all tests, emptied after each: creating and migrating one takes longer than a test.
let shared: Promise<TestDatabase> | undefined

afterAll(async () => {
  await (await shared)?.drop()
})

storeTestsuite('PostgreSQL', async () => {
  shared ??= createMigratedDatabase()
  const { url } = await shared
  const opened: Store[] = []
  const reopen = async (): Promise<Store> => {
    const store = await openPostgresStore({ url, announceRecords: true, maxConnections: 3 })
    opened.push(store)
    return store
  }
  const cleanup = async (): Promise<void> => {
    await Promise.all(opened.map((store) => store.close()))
    await emptyTables(url)
  }
  return { store: await reopen(), reopen, cleanup }
})

const tables = [
  'scores',
  'predictions',
  'inputs',
  'snapshots',
  'scheduled_prediction_configs',
  'model_retirements',
  'model_reassignments',
  'models',
  'leaderboards',
  'checkpoints',
  'feed_records',
  'feed_record_revisions',
  'feed_ingestion_state',
  'api_keys',
  'backfill_jobs',
  'worker_heartbeats',
  'contract_versions',
  'eras',
  'competition',
  'leases',
]

async function emptyTables(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    // In the order of foreign keys: rows before the rows that they reference.
    for (const table of tables) await sql`delete from ${sql(table)}`
  } finally {
    await sql.end({ timeout: 5 })
  }
}
