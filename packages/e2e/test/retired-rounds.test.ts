import { createTestDatabase, type TestDatabase } from '@crunch/embedded-postgres/test-database'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPostgresStore } from '../../coordinator-node/src/adapters/store/postgres/postgres-store.ts'
import { tiers } from '../../coordinator-node/src/contract/defaults/tiers.ts'
import { model } from '../../coordinator-node/src/ports/store-samples.ts'
import { candles, createTrend, openCompetition, steady } from '../../coordinator-node/test/competition.ts'
import { connectDatabase } from '../src/deployment.ts'
import { expectRecomputed } from '../src/recompute/expect-recomputed.ts'
import { wrongAnswerRows } from '../src/row-checks.ts'
import { readStoredRows, type StoredRows } from '../src/stored-rows.ts'

// Models that retire and return, recomputed from the tables alone. Rounds every minute, periods of ten minutes.

const minuteMs = 60_000
const competition = {
  periodMs: 10 * minuteMs,
  checkpointMs: 60 * minuteMs,
  windowsMs: { recent: 60 * minuteMs, long: 120 * minuteMs },
  rankBy: 'recent',
  direction: 'desc',
  value: 'value',
  scoreFields: ['value'],
  baseline: 'flat',
  rankedFrom: 0.8,
  paidFrom: 0.5,
} as const

const changes = {
  baselines: ['flat'],
  snapshot: { metrics: ['ic', 'model_correlation'] },
  leaderboard: { windows: { recent: '1h', long: '2h' } },
  checkpoint: { every: '1h', minCoverage: 0.5, emission: tiers({ payAbove: { baseline: 'flat' } }) },
}

const identityOf = (id: string) => (id === 'flat' ? { ...model(id), name: id, cruncherId: 'organizer' } : model(id))
const field = () => ({ a: createTrend(0.5), b: createTrend(-0.5), flat: steady(0), out: createTrend(0.9) })

let database: TestDatabase
let rows: StoredRows

beforeAll(async () => {
  database = await createTestDatabase()
  const store = await openPostgresStore({ url: database.url })
  const { drive, pipeline, runner } = await openCompetition({ changes, models: field(), identityOf, store })
  await drive(...candles(0, 22))
  // One model is removed for more than two periods; another one registers and retires at once because a baseline has its name.
  const { out: _out, ...left } = field()
  runner.setRetirements({ out: 'it was removed' })
  runner.connect({ ...left, late: createTrend(0.7) }, { late: { name: 'Flat' } })
  await drive(...candles(23, 51))
  runner.connect({ ...field(), late: createTrend(0.7) })
  await drive(...candles(52, 128))
  await pipeline.settle()
  await pipeline.checkpoint()
  await store.close()
  const sql = connectDatabase(database.url)
  rows = await readStoredRows(sql)
  await sql.end()
})

afterAll(() => database?.drop())

test('a model has no row during its retirements', () => {
  expect(rows.models.map(({ id, retirements }) => [id, retirements.length])).toEqual([
    ['a', 0],
    ['b', 0],
    ['flat', 0],
    ['late', 1],
    ['out', 1],
  ])
  expect(wrongAnswerRows(rows)).toEqual([])
})

test('boards, snapshots and payouts follow from the tables, with retired rounds as missing answers', () => {
  expect(rows.leaderboards).toHaveLength(12)
  expect(rows.checkpoints).toHaveLength(2)
  const missed = rows.snapshots.filter((snapshot) => snapshot.missed.count > 0).map(({ modelId }) => modelId)
  expect([...new Set(missed)].sort()).toEqual(['late', 'out'])
  expectRecomputed(rows, competition)
})
