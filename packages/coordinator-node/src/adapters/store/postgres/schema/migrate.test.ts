import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createTestDatabase, type TestDatabase } from '@crunch/embedded-postgres/test-database'
import { generateDrizzleJson, generateMigration } from 'drizzle-kit/api'
import postgres from 'postgres'
import { afterEach, beforeEach, expect, it } from 'vitest'
import journal from '../../../../../migrations/meta/_journal.json' with { type: 'json' }
import { openPostgresStore } from '../postgres-store.ts'
import { kill, openStoreInChild, outcomeOf } from '../store-in-child.testkit.ts'
import { migrateDatabase } from './migrate.ts'
import * as schema from './schema.ts'

let database: TestDatabase

beforeEach(async () => {
  database = await createTestDatabase()
})

afterEach(async () => {
  await database.drop()
})

async function withSql<Result>(action: (sql: postgres.Sql) => Promise<Result>, url = database.url): Promise<Result> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    return await action(sql)
  } finally {
    await sql.end({ timeout: 5 })
  }
}

const appliedCount = () =>
  withSql(async (sql) => (await sql`select count(*)::int as count from drizzle.__drizzle_migrations`)[0]?.count)

it('creates the tables, and does nothing the second time', async () => {
  await migrateDatabase(database.url)
  await migrateDatabase(database.url)
  const tables = await withSql(
    (sql) => sql<{ name: string }[]>`
      select table_name as name from information_schema.tables where table_schema = 'public' order by 1`,
  )
  expect(tables.map(({ name }) => name)).toEqual([
    'api_keys',
    'backfill_jobs',
    'checkpoints',
    'competition',
    'contract_versions',
    'eras',
    'feed_ingestion_state',
    'feed_record_revisions',
    'feed_records',
    'inputs',
    'leaderboards',
    'leases',
    'model_reassignments',
    'model_retirements',
    'models',
    'predictions',
    'scheduled_prediction_configs',
    'scores',
    'snapshots',
    'worker_heartbeats',
  ])
  expect(await appliedCount()).toBe(journal.entries.length)
})

it('migrates once when many stores open concurrently', async () => {
  const stores = await Promise.all(
    Array.from({ length: 8 }, () => openPostgresStore({ url: database.url, maxConnections: 1 })),
  )
  expect(await Promise.all(stores.map((store) => store.roundCounts()))).toHaveLength(8)
  await Promise.all(stores.map((store) => store.close()))
  expect(await appliedCount()).toBe(journal.entries.length)
})

it('migrates once when several processes start concurrently', async () => {
  const children = Array.from({ length: 3 }, () => openStoreInChild(database.url, 'first come'))
  try {
    const outcomes = await Promise.all(children.map(outcomeOf))
    expect(outcomes.filter(({ hasLease }) => hasLease)).toHaveLength(1)
    expect(await appliedCount()).toBe(journal.entries.length)
  } finally {
    await Promise.all(children.map(kill))
  }
})

it('migrates a database of the first version to the newest without losing rows', async () => {
  await applyMigrations(1)
  await withSql((sql) => sql.unsafe(rowsOfTheFirstVersion))
  const before = await withSql(rowsOf)
  expect(Object.values(before).filter((rows) => rows.length === 0)).toEqual([])
  const store = await openPostgresStore({ url: database.url })
  try {
    expect(await appliedCount()).toBe(journal.entries.length)
    // Later migrations add tables and columns, and remove only ids, which are derived from the round and the model.
    const [{ id: _, ...prediction }, { id: __, ...absent }] = before.predictions as [Row, Row]
    const [{ id: ___, prediction_id: ____, ...score }] = before.scores as [Row]
    expect(await withSql(rowsOf)).toMatchObject({
      ...before,
      predictions: [prediction, absent],
      scores: [{ ...score, input_id: 'INP_1', model_id: '1' }],
    })
    // The counts of closed periods are derived from the rows.
    const at = { periodStart: Date.UTC(2025, 0, 1), periodEnd: Date.UTC(2025, 0, 1, 1) }
    const none = { sum: 0, count: 0 }
    expect(await store.periodsBetween(0, Date.UTC(2026))).toEqual([
      { ...at, roundCount: 2, worst: none, missing: none, firstPerformedAt: 0 },
    ])
    expect(await store.snapshotsBetween(0, Date.UTC(2026))).toMatchObject([
      { ...at, roundCount: 2, validCount: 1, excusedCount: 1, unasked: none, missed: none },
    ])
    expect((await store.latestLeaderboard())?.entries).toEqual([
      { modelId: '1', rank: 1, unrankedReason: null, scoreCount: 1, validCount: null, roundCount: null },
      { modelId: '2', rank: null, unrankedReason: 'no_data', scoreCount: 0, validCount: null, roundCount: null },
    ])
    expect((await store.checkpoints({ limit: 1 }))[0]).toMatchObject({
      floor: null,
      emissionReason: null,
      entries: [
        { modelId: '1', rewardFrac64: 1_000_000_000, unpaidReason: null, validCount: 3, roundCount: 4, coverage: 0.75 },
        { modelId: '2', rewardFrac64: 0, unpaidReason: 'no_answer', validCount: 0, roundCount: 0, coverage: null },
      ],
    })
    const scope = { source: 'binance', subject: 'BTC', kind: 'candle', granularity: '1m' }
    await store.putFeedStatus(scope, 'suspect', 'a price that jumped', Date.UTC(2025, 0, 2))
    expect(await store.feedStates()).toMatchObject([{ scope, recordCount: 1, status: 'suspect' }])
    expect(await store.predictionReports({ modelIds: [], from: 0, to: Date.UTC(2026), limit: 10 })).toMatchObject([
      { prediction: { id: 'PRE_1_INP_1' }, score: { value: { value: 1 } } },
      { prediction: { id: 'PRE_1_INP_2' }, score: null },
    ])
  } finally {
    await store.close()
  }
})

it.each([
  [
    'the worst valid score by default, where higher is better',
    { leaderboard: { value: 'pnl', direction: 'desc' } },
    -4,
  ],
  ['and where lower is better', { leaderboard: { value: 'pnl', direction: 'asc' } }, 7],
  [
    'nothing where missing answers score nothing',
    { leaderboard: { value: 'pnl', direction: 'desc' }, prediction: { missing: 'exclude' } },
    null,
  ],
  [
    "nothing where the author's function was never called",
    { leaderboard: { value: 'pnl', direction: 'desc' }, prediction: { missing: 'function' } },
    null,
  ],
])('prices the rounds of open periods that were settled without a price: %s', async (_, structure, price) => {
  await applyMigrations(9)
  await withSql(async (sql) => {
    await sql.unsafe(rowsWithoutPrice)
    await sql`insert into eras (number, structure, fingerprint, began_at)
      values (1, ${sql.json(structure)}, 'one', '2025-01-01Z')`
  })
  const store = await openPostgresStore({ url: database.url })
  try {
    const results = await store.periodResults(0, Date.UTC(2026))
    // The score that a missing answer got is its price under every policy. Closed periods keep the rule they were closed by.
    expect(new Map(results.map(({ roundId, missingValue }) => [roundId, missingValue]))).toEqual(
      new Map([
        ['closed', null],
        ['imputed', -9.5],
        ['unanswered', null],
        ['valid', price],
      ]),
    )
  } finally {
    await store.close()
  }
})

/** The state of an earlier version: its migrations, and drizzle's records of them. */
async function applyMigrations(count: number): Promise<void> {
  await withSql(async (sql) => {
    await sql`create schema drizzle`
    await sql`create table drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)`
    for (const { tag, when } of journal.entries.slice(0, count)) {
      const statements = await readFile(new URL(`../../../../../migrations/${tag}.sql`, import.meta.url), 'utf8')
      const hash = createHash('sha256').update(statements).digest('hex')
      await sql.unsafe(statements)
      await sql`insert into drizzle.__drizzle_migrations (hash, created_at) values (${hash}, ${when})`
    }
  })
}

/** Four settled rounds of two models in the tables of version 9; the first round is in a closed period. */
const rowsWithoutPrice = `
  insert into scheduled_prediction_configs
    (key, source, subject, kind, granularity, every_ms, horizon_ms, step_ms, trigger, active, position)
    values ('BTC-1m', 'binance', 'BTC', 'candle', '1m', 60000, 60000, 60000, 'record', true, 0);
  insert into models (id, name, deployment_id, cruncher_id, cruncher_name, registered_at)
    select id, id, id, id, id, '2025-01-01Z' from unnest(array['1', '2']) id;
  insert into inputs (id, schedule_key, source, subject, kind, granularity, horizon_ms, step_ms, performed_at,
    resolvable_at, expires_at, missed_before, input, status, answered_at, actuals)
    select id, 'BTC-1m', 'binance', 'BTC', 'candle', '1m', 60000, 60000, at - interval '1 min', at, at + interval '1 h', 0,
      '{}', 'RESOLVED', at - interval '1 min', '{}'
    from (values ('closed', timestamptz '2025-01-01 00:59Z'), ('imputed', '2025-01-01 01:00Z'),
      ('valid', '2025-01-01 01:01Z'), ('unanswered', '2025-01-01 01:02Z')) rounds(id, at);
  insert into predictions (id, input_id, model_id, status, performed_at, resolvable_at)
    select inputs.id || models.id, inputs.id, models.id, 'SCORED', performed_at, resolvable_at from inputs, models;
  insert into scores (id, prediction_id, kind, value, scored_at)
    select prediction || kind, prediction, kind, value::jsonb, '2025-01-01 01:05Z'
    from (values ('closed1', 'valid', '{"pnl": 1}'), ('imputed1', 'valid', '{"pnl": 2}'), ('imputed2', 'imputed', '{"pnl": -9.5}'),
      ('valid1', 'valid', '{"pnl": -4, "other": -99}'), ('valid2', 'valid', '{"pnl": 7}'), ('unanswered1', 'failed', null))
      given(prediction, kind, value);
  insert into leaderboards (id, era, as_of, rank_by, direction, entries, period_start, round_count, worst)
    values ('LDR_1', 1, '2025-01-01 01:00Z', 'recent', 'desc', '[]', '2025-01-01Z', 1, '{"sum": 0, "count": 0}')`

const rowsOfTheFirstVersion = `
  insert into feed_ingestion_state (source, subject, kind, granularity, record_count, updated_at, status, status_since)
    values ('binance', 'BTC', 'candle', '1m', 1, '2025-01-01Z', 'frozen', '2025-01-01Z');
  insert into feed_records (source, subject, kind, granularity, event_at, known_at, received_at, "values")
    values ('binance', 'BTC', 'candle', '1m', '2025-01-01Z', '2025-01-01 00:01Z', '2025-01-01 00:01Z', '{"close": 1}');
  insert into feed_record_revisions
    (source, subject, kind, granularity, event_at, values_hash, known_at, received_at, "values")
    values ('binance', 'BTC', 'candle', '1m', '2025-01-01Z', 'h', '2025-01-01 00:01Z', '2025-01-01 00:01Z', '{"close": 2}');
  insert into scheduled_prediction_configs
    (key, source, subject, kind, granularity, every_ms, horizon_ms, step_ms, trigger, active, position)
    values ('BTC-1m', 'binance', 'BTC', 'candle', '1m', 60000, 60000, 60000, 'record', true, 0);
  insert into models (id, name, deployment_id, cruncher_id, cruncher_name, registered_at)
    values ('1', 'model', 'd', 'c', 'cruncher', '2025-01-01Z');
  insert into inputs (id, schedule_key, source, subject, kind, granularity, horizon_ms, step_ms, performed_at,
    resolvable_at, expires_at, missed_before, input, status, answered_at, actuals)
    values ('INP_1', 'BTC-1m', 'binance', 'BTC', 'candle', '1m', 60000, 60000, '2025-01-01 00:01Z',
      '2025-01-01 00:02Z', '2025-01-01 00:10Z', 0, '{}', 'RESOLVED', '2025-01-01 00:01Z', '{"close": 1}');
  insert into predictions (id, input_id, model_id, status, output, performed_at, resolvable_at)
    values ('PRE_1', 'INP_1', '1', 'SCORED', '{"mean": 1}', '2025-01-01 00:01Z', '2025-01-01 00:02Z');
  insert into inputs (id, schedule_key, source, subject, kind, granularity, horizon_ms, step_ms, performed_at,
    resolvable_at, expires_at, missed_before, input, status, answered_at, actuals)
    values ('INP_2', 'BTC-1m', 'binance', 'BTC', 'candle', '1m', 60000, 60000, '2025-01-01 00:02Z',
      '2025-01-01 00:03Z', '2025-01-01 00:10Z', 0, '{}', 'RESOLVED', '2025-01-01 00:02Z', '{"close": 1}');
  insert into predictions (id, input_id, model_id, status, reason, blame, performed_at, resolvable_at)
    values ('PRE_2', 'INP_2', '1', 'ABSENT', 'coordinator_restarted', 'coordinator', '2025-01-01 00:02Z',
      '2025-01-01 00:03Z');
  insert into scores (id, prediction_id, kind, value, scored_at)
    values ('SCR_1', 'PRE_1', 'valid', '{"value": 1}', '2025-01-01 00:02Z');
  insert into snapshots
    (id, model_id, period_start, period_end, score_count, due_count, answered_count, sums, metrics)
    values ('SNAP_1', '1', '2025-01-01Z', '2025-01-01 01:00Z', 1, 1, 1, '{}', '{}');
  insert into leaderboards (id, as_of, rank_by, direction, entries)
    values ('LDR_1', '2025-01-01 01:00Z', 'recent', 'asc',
      '[{"modelId": "1", "rank": 1, "scoreCount": 1}, {"modelId": "2", "rank": null, "scoreCount": 0}]');
  insert into checkpoints (id, period_start, period_end, status, snapshot_count, entries, created_at)
    values ('CKP_1', '2025-01-01Z', '2025-01-02Z', 'PENDING', 1,
      '[{"modelId": "1", "rank": 1, "dueCount": 4, "answeredCount": 3, "rewardFrac64": 1000000000},
        {"modelId": "2", "rank": null, "dueCount": 0, "answeredCount": 0, "rewardFrac64": 0}]', '2025-01-02Z')`

type Row = Readonly<Record<string, unknown>>

/** Every row of every table, as JSON. */
async function rowsOf(sql: postgres.Sql): Promise<Record<string, readonly object[]>> {
  const tables = await sql<{ name: string }[]>`
    select table_name as name from information_schema.tables
    where table_schema = 'public' order by 1`
  const rows: Record<string, readonly object[]> = {}
  for (const { name } of tables) {
    const found = await sql<{ row: object }[]>`select to_jsonb(one) as row from ${sql(name)} one`
    rows[name] = found.map(({ row }) => row)
  }
  return rows
}

it('refuses a database migrated by newer code', async () => {
  await migrateDatabase(database.url)
  const future = 99_999_999_999_999
  await withSql((sql) => sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('later', ${future})`)
  const opening = openPostgresStore({ url: database.url })
  await expect(opening).rejects.toMatchObject({
    code: 'STORE_TOO_NEW',
    message: expect.stringMatching(/newer version.*update @crunch\/coordinator-node/),
  })
})

it('refuses a database with different migrations', async () => {
  await migrateDatabase(database.url)
  await withSql((sql) => sql`update drizzle.__drizzle_migrations set hash = 'edited'`)
  await expect(migrateDatabase(database.url)).rejects.toMatchObject({
    code: 'STORE_CORRUPT',
    message: expect.stringContaining('0000_first'),
  })
})

it('refuses a database whose encoding is not UTF8', async () => {
  const name = `${new URL(database.url).pathname.slice(1)}_ascii`
  await withSql((sql) => sql.unsafe(`create database ${name} encoding 'SQL_ASCII' locale 'C' template template0`))
  const url = new URL(database.url)
  url.pathname = `/${name}`
  try {
    await expect(migrateDatabase(url.href)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining('SQL_ASCII'),
    })
  } finally {
    await withSql((sql) => sql.unsafe(`drop database ${name} with (force)`))
  }
})

it('has migrations for the whole schema', async () => {
  const number = journal.entries.at(-1)?.tag.slice(0, 4)
  const snapshot = await readFile(
    new URL(`../../../../../migrations/meta/${number}_snapshot.json`, import.meta.url),
    'utf8',
  )
  const previous = JSON.parse(snapshot) as ReturnType<typeof generateDrizzleJson>
  const current = generateDrizzleJson(schema, previous.id)
  expect(await generateMigration(previous, current)).toEqual([])
})
