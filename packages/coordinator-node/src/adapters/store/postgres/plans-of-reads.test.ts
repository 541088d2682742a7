import type { TestDatabase } from '@crunch/embedded-postgres/test-database'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createMigratedDatabase } from '../../../../test/migrated-database.ts'
import type { ReportReads } from '../../../ports/reads/report-reads.ts'
import { btc, filter, minute, prepare } from '../../../ports/store-samples.ts'
import { createKeyStore } from './access/key-store.ts'
import { createActivityStore } from './activity-store.ts'
import { createBackfillStore } from './backfill-store.ts'
import { createEraStore } from './era-store.ts'
import { createFeedStore } from './feed-store.ts'
import { createModelStore } from './model-store.ts'
import { createPageStore } from './page/page-store.ts'
import { createPeriodStore } from './period-store.ts'
import { openPostgresStore } from './postgres-store.ts'
import { createPredictionStore } from './prediction-store.ts'
import { createProgressStore } from './progress-store.ts'
import { createReportStore } from './report-store.ts'
import { createScheduleStore } from './schedule-store.ts'
import { createSeriesStore } from './series-store.ts'
import { connect, type Fragment, type Sql } from './session/connect.ts'
import { createLeaseStore } from './session/lease-row.ts'

// Ten days of rounds, one a minute, each answered by eight models; ten minutes of them are open.
const roundCount = 14_000
const modelIds = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
const large = ['predictions', 'scores', 'inputs', 'snapshots']
const now = minute(roundCount)
const day = 1_440
const noGeneration = () => null

let database: TestDatabase
let client: ReturnType<typeof connect>
let preparedCount = 0

beforeAll(async () => {
  database = await createMigratedDatabase()
  const store = await openPostgresStore({ url: database.url, maxConnections: 1 })
  await prepare(store, modelIds)
  await store.close()
  client = connect({ url: database.url, keepAlive: {} }, { maxConnections: 1 })
  await fill(client.sql)
  await client.sql`set plan_cache_mode = force_generic_plan`
}, 120_000)

afterAll(async () => {
  client.cut()
  await database.drop()
})

async function fill(sql: Sql): Promise<void> {
  const at = sql`timestamptz '2026-03-01T10:00:00Z' + n * interval '1 minute'`
  const until = sql`${at} + interval '5 minutes'`
  // Without a look-up for each foreign key.
  await sql`set session_replication_role = replica`
  const isOpen = sql`n > ${roundCount - 10}::int`
  await sql`
    insert into inputs (id, era, schedule_key, source, subject, kind, granularity, horizon_ms, step_ms, performed_at,
      resolvable_at, expires_at, missed_before, input, status, answered_at, actuals)
    select 'r' || n, 1, 'BTCUSDT-5m', 's', 's', 's', 's', 300000, 60000, ${at}, ${until}, ${until}, 0, '{"price": 1}',
      case when ${isOpen} then 'RECEIVED' else 'RESOLVED' end, ${at}, case when ${isOpen} then null else '{"price": 1}'::jsonb end
    from generate_series(1, ${roundCount}::int) n`
  await sql`
    insert into predictions (input_id, model_id, status, output, reason, duration_ms, performed_at, resolvable_at)
    select 'r' || n, m.id, case when n % 50 = 0 then 'FAILED' else 'PENDING' end, '{"value": 1}',
      case when n % 50 = 0 then 'timeout' end, 20, ${at}, ${until}
    from generate_series(1, ${roundCount}::int) n, models m order by n`
  await sql`
    insert into scores (input_id, model_id, kind, value, scored_at)
    select 'r' || n, m.id, 'valid', '{"value": 1, "error": 2}', ${until}
    from generate_series(1, ${roundCount - 10}::int) n, models m order by n`
  await sql`
    insert into snapshots (id, era, model_id, period_start, period_end, score_count, due_count, answered_count, round_count,
      valid_count, excused_count, unasked, missed, sums, metrics)
    select 's' || n || m.id, 1, m.id, ${at} - interval '10 minutes', ${at}, 10, 10, 10, 10, 10, 0, '{}', '{}', '{}', '{}'
    from generate_series(10, ${roundCount}::int, 10) n, models m order by n`
  await sql`set session_replication_role = origin`
  await sql`analyze`
}

/** What a route, the command line or a worker asks of the reads, with the arguments of its defaults. */
const reads = (sql: Sql): ReportReads => ({
  ...createFeedStore(sql, { announceAs: null }),
  ...createScheduleStore(sql, noGeneration),
  ...createModelStore(sql, noGeneration),
  ...createPredictionStore(sql, { isLive: false, generation: noGeneration }),
  ...createLeaseStore(sql),
  ...createPeriodStore(sql),
  ...createReportStore(sql),
  ...createSeriesStore(sql),
  ...createPageStore(sql),
  ...createActivityStore(sql),
  ...createBackfillStore(sql),
  ...createProgressStore(sql, noGeneration),
  ...createEraStore(sql),
  ...createKeyStore(sql),
})

const week = { from: now - 7 * day * 60_000, to: now }
const lastDay = { from: now - day * 60_000, to: now }
const rounds = {
  ...filter(),
  limit: 50,
  scope: {},
  after: null,
  bestBy: { field: 'value', direction: 'desc' },
} as const
const before = { performedAt: minute(9_000), roundId: 'r1', modelId: 'a' }
const ends = [now, now - 600_000, now - 1_200_000]

/** `runFacts` reads everything, and says so: no node that is live calls it. */
type Watched = Exclude<keyof ReportReads, 'runFacts'>

const calls: Readonly<Record<Watched, (store: ReportReads) => readonly Promise<unknown>[]>> = {
  latestLeaderboard: (store) => [store.latestLeaderboard(), store.latestLeaderboard(now)],
  leaderboardVersion: (store) => [store.leaderboardVersion(), store.leaderboardVersion(now)],
  predictionReports: (store) => [
    store.predictionReports({ ...week, modelIds: [], limit: 20_000 }),
    store.predictionReports({ ...week, modelIds: ['a', 'b'], limit: 5_000 }),
    store.predictionReports({ ...lastDay, modelIds, limit: 100 }),
    store.predictionReports(filter({ limit: 10, modelIds: ['gone'] })),
    store.predictionReports({ ...week, before, modelIds: [], limit: 5_000 }),
    store.predictionReports({ ...week, before, modelIds: ['a', 'b'], limit: 5_000 }),
  ],
  predictionExports: (store) => [
    store.predictionExports({ ...lastDay, after: null, limit: 1_000 }),
    store.predictionExports({
      ...week,
      after: before,
      limit: 20_000,
    }),
  ],
  modelActivity: (store) => [week.from, lastDay.from, now - 60_000].map((since) => store.modelActivity(since)),
  modelFailures: (store) => [
    store.modelFailures({ modelId: 'a', since: lastDay.from, limit: 100 }),
    store.modelFailures({ modelId: 'a', since: week.from, until: now, before, limit: 100 }),
  ],
  stageActivity: (store) => [store.stageActivity(now - 60_000, now)],
  tableSizes: (store) => [store.tableSizes()],
  snapshotReports: (store) => [
    store.snapshotReports(filter({ limit: 100 })),
    store.snapshotReports(filter({ limit: 100, modelIds: ['a', 'b'] })),
    store.snapshotReports({ ...filter({ limit: 100 }), before: { periodEnd: minute(9_000), modelId: 'b' } }),
    store.snapshotReports({
      ...filter({ limit: 100, modelIds: ['a'] }),
      before: { periodEnd: minute(9_000), modelId: 'a' },
    }),
  ],
  checkpoints: (store) => [store.checkpoints({ limit: 20 }), store.checkpoints({ status: 'PENDING', limit: 20 })],
  leaseState: (store) => [store.leaseState('predict')],
  roundCounts: (store) => [store.roundCounts()],
  pipelineProgress: (store) => [store.pipelineProgress(now)],
  storeTime: (store) => [store.storeTime()],
  leaderboardsAt: (store) => [store.leaderboardsAt(ends, []), store.leaderboardsAt(ends, ['a'])],
  fieldBuckets: (store) => [store.fieldBuckets({ scope: btc, ...lastDay, bucketMs: 600_000 })],
  periodEnds: (store) => [store.periodEnds({ ...week, limit: 100 })],
  rankingsAt: (store) => [store.rankingsAt(ends)],
  modelOutcomes: (store) => [
    store.modelOutcomes({ ...week, modelId: 'a', cellMs: day * 60_000 }),
    store.modelOutcomes({ ...lastDay, modelId: 'gone', cellMs: day * 60_000 }),
  ],
  modelPayouts: (store) => [store.modelPayouts({ modelId: 'a', before: now, limit: 50 })],
  roundSummaries: (store) => [
    store.roundSummaries(rounds),
    store.roundSummaries({ ...rounds, state: 'open' }),
    store.roundSummaries({ ...rounds, state: 'void' }),
    store.roundSummaries({ ...rounds, ...week, state: 'resolved', scheduleKey: 'BTCUSDT-5m', limit: 500 }),
    store.roundSummaries({ ...rounds, after: { performedAt: minute(9_000), id: 'r9000' }, scope: { subject: 's' } }),
  ],
  snapshotsAt: (store) => [store.snapshotsAt(ends, []), store.snapshotsAt(ends, ['a'])],
  newestSnapshots: (store) => [
    store.newestSnapshots({ ...week, modelIds: [] }),
    store.newestSnapshots({ ...week, modelIds: ['a'] }),
  ],
  scoreSums: (store) => [
    store.scoreSums({ ...lastDay, modelIds: [], cellMs: 3_600_000, field: 'value' }),
    store.scoreSums({ ...lastDay, modelIds: ['a'], cellMs: 3_600_000, field: 'value' }),
  ],
  roundReport: (store) => [store.roundReport('r5'), store.roundReport('r5', 'a')],
  snapshot: (store) => [store.snapshot('s10a')],
  checkpoint: (store) => [store.checkpoint('none')],
  feedStates: (store) => [store.feedStates()],
  latestRecords: (store) => [store.latestRecords(btc, 10, now)],
  newestRecords: (store) => [store.newestRecords(btc, 10, now)],
  models: (store) => [store.models()],
  reassignments: (store) => [store.reassignments()],
  competition: (store) => [store.competition()],
  eras: (store) => [store.eras()],
  contractVersions: (store) => [store.contractVersions()],
  apiKeys: (store) => [store.apiKeys()],
  backfillJobs: (store) => [store.backfillJobs()],
  periodsBetween: (store) => [store.periodsBetween(week.from, week.to)],
  schedules: (store) => [store.schedules()],
}

interface Plan {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly Plans?: readonly Plan[]
}

function scannedTables(plan: Plan): string[] {
  const table = plan['Relation Name'] ?? ''
  const own = plan['Node Type'] === 'Seq Scan' && large.includes(table) ? [table] : []
  return [...own, ...(plan.Plans ?? []).flatMap(scannedTables)]
}

const planIn = (rows: unknown) =>
  (rows as readonly [{ 'QUERY PLAN': readonly [{ Plan: Plan }] }])[0]['QUERY PLAN'][0].Plan

/** A client that also explains each statement: as its first executions are planned, for their values, and as later ones are, for any. */
function watching(sql: Sql, note: (kind: string, plan: Plan) => void): Sql {
  async function explained(query: Fragment, run: () => Promise<unknown>): Promise<unknown> {
    note('custom', planIn(await sql`explain (format json) ${query}`))
    const rows = (await run()) as { readonly statement: { readonly string: string; readonly types: readonly number[] } }
    const { string, types } = rows.statement
    const names = await Promise.all(
      types.map(async (type) => (await sql`select format_type(${type}::int, null) as name`)[0]?.name as string),
    )
    const name = `watched_${++preparedCount}`
    await sql.unsafe(`prepare ${name}${names.length === 0 ? '' : `(${names.join(', ')})`} as ${string}`)
    const nulls = names.length === 0 ? '' : `(${names.map(() => 'null').join(', ')})`
    note('generic', planIn(await sql.unsafe(`explain (format json) execute ${name}${nulls}`)))
    return rows
  }
  return new Proxy(sql, {
    apply(target, self, args) {
      const query = Reflect.apply(target, self, args)
      // Not a helper for a name or a value.
      if (!Array.isArray((args[0] as { raw?: unknown }).raw)) return query
      const then = query.then.bind(query)
      // A fragment is never awaited.
      // biome-ignore lint/suspicious/noThenProperty: the moment in which the statement is sent.
      query.then = (resolve: never, reject: never) => {
        // biome-ignore lint/suspicious/noThenProperty: as above.
        query.then = then
        return explained(query, () => Promise.resolve(query)).then(resolve, reject)
      }
      return query
    },
  })
}

it.each(Object.entries(calls))('%s reads no large table as a whole', async (_, ask) => {
  const found: string[] = []
  let planCount = 0
  const sql = watching(client.sql, (kind, plan) => {
    planCount += 1
    for (const table of scannedTables(plan)) found.push(`${kind} plan scans ${table}`)
  })
  await Promise.all(ask(reads(sql)))
  expect(planCount).toBeGreaterThan(1)
  expect(found).toEqual([])
})
