import type { TestDatabase } from '@crunch/embedded-postgres/test-database'
import postgres from 'postgres'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createMigratedDatabase } from '../../../../test/migrated-database.ts'
import { filter, minute, prepare } from '../../../ports/store-samples.ts'
import { activityStatement } from './activity-store.ts'
import { openPostgresStore } from './postgres-store.ts'
import { predictionStatement } from './report-store.ts'
import { connect, type Fragment } from './session/connect.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await createMigratedDatabase()
})

afterAll(() => database.drop())

/** A month of rounds, one per minute, each answered by two models. */
async function fill(url: string): Promise<void> {
  const store = await openPostgresStore({ url, maxConnections: 1 })
  await prepare(store)
  await store.close()
  const sql = postgres(url, { max: 1 })
  const at = sql`timestamptz '2026-03-01T10:00:00Z' + n * interval '1 minute'`
  await sql`
    insert into inputs (id, schedule_key, source, subject, kind, granularity, horizon_ms, step_ms, performed_at,
      resolvable_at, expires_at, missed_before, input)
    select 'r' || n, 'BTCUSDT-5m', 's', 's', 's', 's', 1, 1, ${at}, ${at}, ${at}, 0, '{}' from generate_series(1, 40000) n`
  await sql`
    insert into predictions (input_id, model_id, status, reason, performed_at, resolvable_at)
    select 'r' || n, model, 'ABSENT', 'timeout', ${at}, ${at}
    from generate_series(1, 40000) n, (values ('a'), ('b')) models(model)`
  await sql`analyze predictions`
  await sql.end()
}

it('reads only the time span, by index, independent of the length of history', { timeout: 60_000 }, async () => {
  await fill(database.url)
  const { sql } = connect({ url: database.url, keepAlive: {} }, { maxConnections: 1 })
  const planOf = async (statement: Fragment) => {
    const lines = await sql`explain ${statement}`
    return lines.map((line) => String(line['QUERY PLAN'])).join('\n')
  }
  const activity = await planOf(activityStatement(sql, minute(39_000)))
  const newest = await planOf(predictionStatement(sql, filter({ limit: 10 })))
  const newestOfModel = await planOf(predictionStatement(sql, filter({ limit: 10, modelIds: ['a'] })))
  await sql.end()
  for (const plan of [activity, newest, newestOfModel]) expect(plan).not.toContain('Seq Scan on predictions')
  expect(activity).toContain('predictions_performed')
  expect(newest).toContain('predictions_performed')
  expect(newestOfModel).toContain('predictions_of_model')
  expect(newestOfModel).not.toContain('predictions_performed')
})
