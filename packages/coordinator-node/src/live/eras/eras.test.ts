import type { TestDatabase } from '@crunch/embedded-postgres/test-database'
import postgres from 'postgres'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { candles, createTestRunner, steady } from '../../../test/competition.ts'
import { createMigratedDatabase } from '../../../test/migrated-database.ts'
import { type ContractChanges, changedContract } from '../../../test/sample-contract.ts'
import { createTestLog } from '../../../test/test-log.ts'
import { createVirtualClock } from '../../adapters/clock/clocks.ts'
import { openPostgresStore } from '../../adapters/store/postgres/postgres-store.ts'
import { contractStructure, structureFingerprint, withoutOrganizer } from '../../contract/contract-structure.ts'
import { tiers } from '../../contract/defaults/tiers.ts'
import type { EraSpan } from '../../domain/era.ts'
import { createPipeline } from '../../pipeline.ts'
import { silentLog } from '../../ports/log.ts'
import type { Store } from '../../ports/store.ts'
import { filter, minute } from '../../ports/store-samples.ts'
import { driveBatch } from '../../recording/drive-recording.ts'
import { readSettings, type Settings } from '../settings.ts'
import { runWorkers } from '../workers/run-workers.ts'
import { beginNewEra } from './begin-era.ts'
import { enterEra } from './enter-era.ts'

// Changes the contract of a database with history, with real workers and a real PostgreSQL.

let database: TestDatabase
let store: Store

beforeEach(async () => {
  database = await createMigratedDatabase()
  store = await openPostgresStore({ url: database.url })
})

afterEach(async () => {
  await store.close()
  await database.drop()
})

const settings = readSettings({ CRUNCH_ID: 'next-move' })
/** With these settings, model `a` is the organizer's. */
const organizersOwn = readSettings({ CRUNCH_ID: 'next-move', ORGANIZER_CRUNCHER_ID: 'c-a' })

/** Starts a score worker as a node does, and stops it once it is ready. */
async function startWorkers(changes: ContractChanges = {}, options: { codeHash?: string; settings?: Settings } = {}) {
  const ending = new AbortController()
  const log = createTestLog()
  await runWorkers({
    workers: ['score', 'checkpoint'],
    contract: changedContract(changes),
    settings: options.settings ?? settings,
    databaseUrl: database.url,
    codeHash: options.codeHash ?? 'code',
    log,
    signal: ending.signal,
    onReady: () => ending.abort(),
  })
  return log
}

/** Runs a node that predicts, settles and closes periods over the candles of some minutes. */
async function play(
  from: number,
  to: number,
  changes: ContractChanges = {},
  codeHash = 'code',
  ofOperator = settings,
): Promise<EraSpan> {
  const contract = changedContract(changes)
  const clock = createVirtualClock(minute(from))
  const ports = { contract, settings: ofOperator, codeHash, store, clock, log: silentLog }
  const era = await enterEra(ports)
  const organizerCruncherId = ofOperator.ORGANIZER_CRUNCHER_ID
  const pipeline = createPipeline(contract, { store, clock, log: silentLog }, { era, organizerCruncherId })
  const clockRounds = await pipeline.openPredictor(createTestRunner({ a: steady(0.5), b: steady(-0.5) }))
  for (const record of candles(from, to)) {
    await driveBatch(pipeline, clockRounds, clock, [record])
    await pipeline.settle()
    await pipeline.checkpoint()
  }
  return era
}

async function newEra(at: number, changes: ContractChanges, ofOperator = settings) {
  const clock = createVirtualClock(minute(at))
  return beginNewEra({
    contract: changedContract(changes),
    settings: ofOperator,
    codeHash: 'code',
    store,
    clock,
    log: silentLog,
  })
}

/** Every row of the database, as text. */
async function rows(): Promise<Record<string, readonly string[]>> {
  const sql = postgres(database.url, { max: 1, onnotice: () => undefined })
  try {
    const tables = await sql<{ name: string }[]>`
      select table_name as name from information_schema.tables where table_schema = 'public' order by 1`
    const found: Record<string, readonly string[]> = {}
    for (const { name } of tables) {
      const all = await sql<{ row: string }[]>`select to_jsonb(one)::text as row from ${sql(name)} one order by 1`
      found[name] = all.map(({ row }) => row)
    }
    return found
  } finally {
    await sql.end()
  }
}

const horizon = { prediction: { schedule: [{ subject: 'BTCUSDT', every: '1m', horizon: '3m', step: '1m' }] } }
const direction = { leaderboard: { direction: 'asc' } }

describe('a changed contract', () => {
  test.each([
    ['the direction', direction, ['leaderboard.direction: "desc" in the database since 20', '"asc" in the contract']],
    ['the horizon', horizon, ['prediction.schedule["BTCUSDT-5m"]', 'nothing in the contract', '"horizon":"3m"']],
    [
      'the ranking field',
      { leaderboard: { value: 'hit' } },
      ['leaderboard.value: "value" in the database', '"hit" in the contract'],
    ],
    ['the payout', { checkpoint: { emission: tiers([60, 40]) } }, ['checkpoint.emission.parameters.percentages']],
    ['the time-out', { prediction: { timeout: '2s' } }, ['prediction.timeout: "1s" in the database']],
  ] as const)('in %s is refused, naming both sides, without writing', async (_, changes, texts) => {
    await play(0, 24)
    const before = await rows()
    const refused = startWorkers(changes)
    await expect(refused).rejects.toMatchObject({ code: 'CONTRACT_CHANGED' })
    const message = await refused.catch((error: Error) => error.message)
    for (const text of [...texts, 'crunch deploy --new-era']) expect(message).toContain(text)
    expect(await rows()).toEqual(before)
  })

  test('is not detected when options are only written differently or defaults written out', async () => {
    await play(0, 24)
    await startWorkers({
      leaderboard: { windows: { recent: '1200s', long: '60m' }, newcomers: 'wait' },
      prediction: { missing: 'worst' },
      checkpoint: { every: '0.5h', minCoverage: 0 },
    })
    expect(await store.eras()).toHaveLength(1)
  })

  test('of the organizer is refused, naming both sides, without writing', async () => {
    await play(0, 24)
    const before = await rows()
    await expect(startWorkers({}, { settings: organizersOwn })).rejects.toMatchObject({
      code: 'CONTRACT_CHANGED',
      message: expect.stringMatching(
        /ORGANIZER_CRUNCHER_ID: "organizer" in the database since 20\S+, "c-a" in the settings\n.*crunch deploy --new-era/,
      ),
    })
    expect(await rows()).toEqual(before)
  })

  test('of a database from before the organizer was stored adopts the setting of the next start', async () => {
    await play(0, 24)
    const former = contractStructure(changedContract({}), 'organizer')
    const sql = postgres(database.url, { max: 1, onnotice: () => undefined })
    await sql`update eras set structure = structure - 'organizer', fingerprint = ${structureFingerprint(withoutOrganizer(former))}`
    await sql.end()
    expect(await newEra(25, {}, organizersOwn)).toMatchObject({ kind: 'unchanged', era: { number: 1 } })
    expect(await store.eras()).toMatchObject([{ number: 1, structure: { organizer: 'c-a' } }])
    await startWorkers({}, { settings: organizersOwn })
    await expect(startWorkers()).rejects.toMatchObject({ code: 'CONTRACT_CHANGED' })
    expect(await store.eras()).toHaveLength(1)
  })

  test('to another competition is refused by name and by CRUNCH_ID', async () => {
    await play(0, 4)
    const before = await rows()
    await expect(startWorkers({ name: 'other' })).rejects.toMatchObject({
      code: 'OTHER_COMPETITION',
      message: expect.stringContaining('belongs to the competition "next-move" (CRUNCH_ID next-move)'),
    })
    await expect(startWorkers({}, { settings: readSettings({ CRUNCH_ID: 'other' }) })).rejects.toMatchObject({
      code: 'OTHER_COMPETITION',
    })
    expect(await rows()).toEqual(before)
  })

  test('of a database from before eras is detected by its rows', async () => {
    await play(0, 24)
    const sql = postgres(database.url, { max: 1, onnotice: () => undefined })
    await sql`delete from contract_versions`
    await sql`delete from eras`
    await sql`delete from competition`
    await sql.end()
    await expect(startWorkers(horizon)).rejects.toMatchObject({ code: 'CONTRACT_CHANGED' })
    await expect(newEra(25, direction)).rejects.toMatchObject({
      code: 'CONTRACT_CHANGED',
      message: expect.stringContaining('leaderboard.direction: "desc" in the database (by its rows), "asc"'),
    })
    expect(await store.eras()).toEqual([])
    await startWorkers()
    expect(await store.eras()).toMatchObject([{ number: 1 }])
  })
})

describe('a new era', () => {
  test('ends the old one by its own rules and starts with empty boards, windows and checkpoints', async () => {
    await play(0, 34)
    const changes = { ...horizon, leaderboard: { direction: 'asc' }, checkpoint: { emission: tiers([100]) } }
    const begun = await newEra(35, changes)
    // Rounds of minutes 31 to 35 wait for the truth of minutes 36 to 40.
    expect(begun).toMatchObject({ kind: 'begun', era: { number: 2 }, voidRoundCount: 5 })
    const beganAt = begun.kind === 'begun' ? begun.era.beganAt : 0
    const reports = await store.predictionReports(filter())
    const voided = reports.filter(({ prediction }) => prediction.reason === 'contract_changed')
    expect(voided).toHaveLength(10)
    expect(voided[0]?.prediction).toMatchObject({
      status: 'FAILED',
      blame: 'coordinator',
      detail: expect.stringMatching(/^the contract changed \(era 2 began .*\) before the truth was known$/),
    })
    // The last period and checkpoint of the old era are short and follow its rules.
    const [last, ...earlier] = await store.checkpoints({ limit: 9 })
    expect(earlier).toMatchObject([{ periodEnd: minute(30), era: 1 }])
    expect(last).toMatchObject({ era: 1, periodStart: minute(30), periodEnd: beganAt })
    expect(last?.entries.every((entry) => entry.rewardFrac64 > 0)).toBe(true)
    expect(await store.latestLeaderboard()).toMatchObject({ era: 1, direction: 'desc', asOf: beganAt })

    await play(36, 75, changes)
    const board = await store.latestLeaderboard()
    expect(board).toMatchObject({ era: 2, direction: 'asc', asOf: minute(70) })
    const snapshots = await store.snapshotReports(filter())
    const own = snapshots.filter((snapshot) => snapshot.era === 2)
    expect(Math.min(...own.map((snapshot) => snapshot.periodStart))).toBeGreaterThanOrEqual(beganAt)
    const counted = own
      .filter(({ modelId }) => modelId === 'a')
      .reduce((sum, { sums }) => sum + (sums.value?.sum ?? 0), 0)
    const entry = board?.entries.find(({ modelId }) => modelId === 'a')
    const scored = own.filter(({ modelId }) => modelId === 'a').reduce((sum, { scoreCount }) => sum + scoreCount, 0)
    expect(entry?.windows.long).toBeCloseTo(counted / scored, 12)
    const eras = (await store.checkpoints({ limit: 9 })).map(({ era, periodStart }) => ({ era, periodStart }))
    expect(eras[0]).toEqual({ era: 2, periodStart: beganAt })
    const results = await store.periodResults(beganAt, minute(99))
    const rounds = new Set(results.map(({ roundId }) => roundId))
    expect(reports.some(({ prediction }) => rounds.has(prediction.roundId))).toBe(false)
  })

  test.each([
    ['pays nothing for the old era to its organizer, who is a participant of the new one', organizersOwn, settings],
    ['pays a participant of the old era, who is the organizer of the new one', settings, organizersOwn],
  ])('%s', async (_, before, after) => {
    await play(0, 34, {}, 'code', before)
    expect(await newEra(35, {}, after)).toMatchObject({ kind: 'begun', changes: ['organizer'] })
    const [last] = await store.checkpoints({ limit: 1 })
    const reasons = new Map(last?.entries.map(({ modelId, unpaidReason }) => [modelId, unpaidReason]))
    expect(reasons).toEqual(
      new Map([
        ['a', before === organizersOwn ? 'organizer' : null],
        ['b', null],
      ]),
    )
  })

  test('begins only once: a repetition after a crash or by mistake changes nothing', async () => {
    await play(0, 34)
    expect(await newEra(35, {})).toMatchObject({ kind: 'unchanged' })
    const contract = changedContract(direction)
    // The node is killed right after the transition: the next start closes the rest of era 1.
    const structure = contractStructure(contract, 'organizer')
    await store.beginEra({ after: 1, structure, fingerprint: structureFingerprint(structure), at: minute(35) })
    expect(await store.latestLeaderboard()).toMatchObject({ asOf: minute(30) })
    const logs = await Promise.all([startWorkers(direction), startWorkers(direction)])
    expect(logs).toHaveLength(2)
    const [last] = await store.checkpoints({ limit: 1 })
    expect(last).toMatchObject({ era: 1, periodStart: minute(30) })
    const before = await rows()
    expect(await newEra(36, direction)).toMatchObject({ kind: 'unchanged', era: { number: 2 } })
    expect(await rows()).toEqual(before)
  })

  test('is refused while a node runs, and stops surviving processes of the old era', async () => {
    const era = await play(0, 34)
    const operator = await openPostgresStore({ url: database.url })
    const holder = await openPostgresStore({ url: database.url })
    await holder.takeLease('predict')
    const ports = { contract: changedContract(direction), settings, codeHash: 'code', log: silentLog, store: operator }
    const clock = createVirtualClock(minute(35))
    await expect(beginNewEra({ ...ports, clock })).rejects.toMatchObject({ code: 'LEASE_HELD' })
    await holder.close()
    // Without a lease, so that only the era stops it.
    const old = createPipeline(changedContract({}), { store, clock, log: silentLog }, { era })
    const clockRounds = await old.openPredictor(createTestRunner({ a: steady(0.5), b: steady(-0.5) }))
    await driveBatch(old, clockRounds, clock, candles(35, 35))
    await beginNewEra({ ...ports, clock })
    await operator.close()
    await expect(old.settle()).rejects.toMatchObject({ code: 'ERA_ENDED' })
    await expect(old.checkpoint()).rejects.toMatchObject({ code: 'ERA_ENDED' })
    await expect(driveBatch(old, clockRounds, clock, candles(36, 36))).rejects.toMatchObject({ code: 'ERA_ENDED' })
    // The candle of minute 35 closed at minute 36 and opened the last round of the old era.
    const reports = await store.predictionReports(filter())
    expect(reports.filter(({ prediction }) => prediction.performedAt > minute(36))).toEqual([])
  })

  test('is refused when the emission code of the ended era is missing', async () => {
    const half = { name: 'halves', shares: (ranked: readonly unknown[]) => ranked.map(() => 100 / ranked.length) }
    await play(0, 34, { checkpoint: { emission: half } })
    const before = await rows()
    await expect(newEra(35, { checkpoint: { emission: tiers() } })).rejects.toMatchObject({
      code: 'CONTRACT_CHANGED',
      message: expect.stringContaining('keep that emission in the contract'),
    })
    expect(await rows()).toEqual(before)
    expect(await newEra(35, { ...direction, checkpoint: { emission: half } })).toMatchObject({ kind: 'begun' })
  })
})

test('concurrently started processes enter the same era and version', async () => {
  await Promise.all([startWorkers(), startWorkers(), startWorkers()])
  expect(await store.eras()).toHaveLength(1)
  expect(await store.contractVersions()).toHaveLength(1)
})

test('a change of code creates a version, recorded in scores and checkpoints, and needs no new era', async () => {
  await play(0, 14, {}, 'one')
  await play(15, 40, {}, 'two')
  expect(await store.contractVersions()).toMatchObject([
    { number: 1, hash: 'one', era: 1 },
    { number: 2, hash: 'two', era: 1 },
  ])
  const scores = (await store.predictionReports(filter())).flatMap(({ score }) => score?.contractVersion ?? [])
  const count = (version: number) => scores.filter((given) => given === version).length
  expect(count(1)).toBeGreaterThan(0)
  expect(count(2)).toBeGreaterThan(0)
  const [checkpoint] = await store.checkpoints({ limit: 1 })
  expect(checkpoint?.contractVersions).toEqual({ 1: count(1), 2: expect.any(Number) })
})
