import { createTestDatabase, type TestDatabase } from '@crunch/embedded-postgres/test-database'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Store } from '../../../ports/store.ts'
import {
  btc,
  candle,
  eraEntry,
  eth,
  filter,
  leaderboard,
  minute,
  model,
  nextEra,
  periodRounds,
  prediction,
  prepare,
  resolveAll,
  round,
  schedule,
  settleRequest,
  snapshot,
  voidAll,
} from '../../../ports/store-samples.ts'
import type { DueRound, RoundSettlement } from '../../../ports/store-settlement.ts'
import { createMemoryStore } from '../memory/memory-store.ts'
import { openPostgresStore } from './postgres-store.ts'

// Simulations are only valid if the memory store equals PostgreSQL: any history must give the same answers and rows in both.

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
})

afterAll(async () => {
  await database.drop()
})

type Step = (store: Store) => Promise<unknown>

const models = ['a', 'b', 'é', 'x\u0000']
const count = fc.integer({ min: 0, max: 12 })
/** Few rounds, so that the same ones are opened, answered and settled repeatedly. */
const roundCount = fc.integer({ min: 0, max: 5 })
const scope = fc.constantFrom(btc, eth)

/** Random evidence requests of a gate for some of the series. */
const evidence = fc
  .tuple(fc.subarray([btc, eth]), fc.integer({ min: 0, max: 5 }), fc.option(scope))
  .map(([scopes, recordCount, peer]) => scopes.map((of) => ({ scope: of, recordCount, peer })))

const roundOf = (of: number, isEth: boolean) =>
  round(of, isEth ? { scheduleKey: 'ETHUSDT-5m', scope: eth, horizonMs: 120_000, missedBefore: of % 3 } : {})

/** One of three decisions, determined by the round's instant. */
function decide(due: DueRound): RoundSettlement {
  const turn = (due.round.performedAt - minute(0)) / 60_000
  const refused = { isRefusal: turn % 2 === 1, reason: `the contract refuses ${turn}\u0000` }
  if (turn % 4 === 3 && due.exit === null) return { kind: 'wait', ...refused }
  if (turn % 3 === 2) return { ...voidAll(due), ...refused } as RoundSettlement
  if (turn % 4 === 0) return resolveAll(due, { kind: 'failed', reason: `unscorable at ${turn}` })
  return resolveAll(due, { signal: due.entry === null ? null : (due.entry.values.close as number) / 3 })
}

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.array(fc.tuple(count, fc.integer({ min: 0, max: 2 }), scope), { maxLength: 6 }).map(
    (batch): Step =>
      (store) =>
        store.appendRecords(batch.map(([at, close, of]) => candle(at, { close }, of))),
  ),
  fc.tuple(scope, fc.constantFrom('up', 'stale', 'frozen', 'suspect', 'down'), count).map(
    ([of, status, at]): Step =>
      (store) =>
        store.putFeedStatus(of, status as 'up', status, minute(at)),
  ),
  fc.tuple(count, fc.boolean()).map(
    ([at, isEth]): Step =>
      (store) =>
        store.openRound(roundOf(at, isEth)),
  ),
  fc.tuple(roundCount, fc.boolean(), fc.subarray(models)).map(
    ([at, isEth, ids]): Step =>
      async (store) => {
        const asked = roundOf(at, isEth)
        await store.openRound(asked)
        const answers = ids.map((id, index) =>
          index === 1
            ? prediction(asked, id, { status: 'ABSENT', output: null, reason: 'timeout', blame: 'model' })
            : prediction(asked, id, { durationMs: at / 3 }),
        )
        return store.recordAnswers(asked.id, minute(at) + 7, answers)
      },
  ),
  fc
    .tuple(count, fc.integer({ min: 1, max: 4 }), fc.boolean(), evidence)
    .map(([at, limit, withRecords, evidence]): Step => {
      return async (store) => {
        const offered: DueRound[] = []
        const request = settleRequest({ now: minute(at), limit, withRecords, evidence })
        const result = await store.settleRounds(request, (due) => {
          offered.push(due)
          return decide(due)
        })
        return { result, offered }
      }
    }),
  fc.tuple(count, fc.subarray(models)).map(
    ([at, ids]): Step =>
      (store) => {
        const snapshots = ids.map((id) => snapshot(id, at))
        return store.closePeriod({ snapshots, rounds: periodRounds(at), leaderboard: leaderboard(at) })
      },
  ),
  fc.subarray(models).map(
    (ids): Step =>
      (store) => {
        return store.registerModels(
          ids.map((id) => model(id, { name: ids.join() })),
          minute(9),
        )
      },
  ),
  fc.tuple(fc.subarray(models), count).map(
    ([ids, at]): Step =>
      (store) =>
        store.beginRetirements(
          ids.map((modelId) => ({ modelId, reason: `at ${at}\u0000` })),
          minute(at),
        ),
  ),
  fc.tuple(fc.subarray(models), count).map(
    ([ids, at]): Step =>
      (store) =>
        store.endRetirements(ids, minute(at)),
  ),
  fc.tuple(fc.constantFrom('one', 'two'), count).map(
    ([fingerprint, at]): Step =>
      (store) =>
        store.enterEra(eraEntry({ fingerprint, codeHash: `code ${at % 3}`, at: minute(at) })),
  ),
  fc.tuple(fc.integer({ min: 1, max: 2 }), count).map(
    ([after, at]): Step =>
      (store) =>
        store.beginEra(nextEra({ after, at: minute(at) })),
  ),
  fc.tuple(fc.subarray(['BTCUSDT-5m', 'ETHUSDT-5m']), count).map(
    ([keys, at]): Step =>
      (store) =>
        store.noteRefusedInput(keys, minute(at), `at ${at}\u0000`),
  ),
  fc.boolean().map(
    (isLess): Step =>
      (store) => {
        const kept = [schedule({ key: 'ETHUSDT-5m', scope: eth }), schedule({ everyMs: 120_000 })]
        return store.putSchedules(isLess ? kept.slice(1) : kept)
      },
  ),
)

async function everything(store: Store, from: number, limit: number): Promise<unknown> {
  return {
    feeds: await store.feedStates(),
    watermark: await store.newestWatermark(),
    records: await store.latestRecords(btc, limit, minute(from)),
    models: await store.models(),
    schedules: await store.schedules(),
    lastRounds: await store.lastRoundTimes(),
    unanswered: await store.unansweredRounds(),
    counts: await store.roundCounts(),
    first: await store.firstResolvableAt(minute(from)),
    unresolved: await store.hasUnresolvedRounds(minute(from)),
    results: await store.periodResults(minute(from), minute(99)),
    predictions: await store.predictionReports(filter({ limit, modelIds: from % 2 === 0 ? ['b', 'x\u0000'] : [] })),
    activity: await store.modelActivity(minute(from)),
    snapshots: await store.snapshotReports(filter({ limit, modelIds: from % 2 === 0 ? ['b', 'é'] : [] })),
    between: await store.snapshotsBetween(minute(-9), minute(from)),
    metrics: await store.latestMetrics(minute(-9), minute(from)),
    scored: await store.versionCounts(minute(-9), minute(from)),
    eras: await store.eras(),
    versions: await store.contractVersions(),
    competition: await store.competition(),
    leaderboard: await store.latestLeaderboard(),
    lastEnd: await store.lastPeriodEnd(),
    facts: await store.runFacts(),
    refusals: (await store.pipelineProgress(minute(from))).refusals,
    refusedBefore: await store.refusalsBetween(minute(-9), minute(from)),
  }
}

it('gives the same answers in memory and in PostgreSQL for random histories', async () => {
  const history = fc.tuple(
    fc.array(steps, { minLength: 30, maxLength: 60, size: 'max' }),
    count,
    fc.integer({ min: 1, max: 30 }),
  )
  await fc.assert(
    fc.asyncProperty(history, async ([taken, from, limit]) => {
      await database.drop()
      database = await createTestDatabase()
      const inMemory = createMemoryStore()
      const inPostgres = await openPostgresStore({ url: database.url, maxConnections: 1 })
      try {
        for (const store of [inMemory, inPostgres]) {
          await prepare(store, models)
          await store.ensureFeeds([btc, eth], minute(0))
        }
        for (const step of taken) {
          const expected = await step(inMemory).catch((error: Error) => `rejects: ${error.name}`)
          const given = await step(inPostgres).catch((error: Error) => `rejects: ${error.name}`)
          expect(given).toEqual(expected)
        }
        expect(await everything(inPostgres, from, limit)).toEqual(await everything(inMemory, from, limit))
      } finally {
        await inPostgres.close()
      }
    }),
    { numRuns: Number(process.env.CRUNCH_TEST_RUNS ?? 10), endOnFailure: true },
  )
}, 120_000)
