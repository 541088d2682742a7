import type { TestDatabase } from '@crunch/embedded-postgres/test-database'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createMemoryStore } from '../src/adapters/store/memory/memory-store.ts'
import { openPostgresStore } from '../src/adapters/store/postgres/postgres-store.ts'
import type { NewcomerPolicy } from '../src/domain/leaderboard.ts'
import type { ModelIdentity } from '../src/domain/models/model.ts'
import type { Store } from '../src/ports/store.ts'
import { filter, minute, model } from '../src/ports/store-samples.ts'
import { candles, closeAt, createOracle, openCompetition, type TestModel } from './competition.ts'
import { createMigratedDatabase } from './migrated-database.ts'

// Models that retire for the hard rounds are compared with twins that stay: `brave` answers these rounds badly, `mute` does
// not answer them. Rounds open every minute and resolve after five. Periods last ten minutes; the ranking window and the
// checkpoint last two hours. The hard rounds are those of records 54 to 73: parts of two periods, and a whole one.

const hard = { first: 54, last: 73 }

/** Knows the future price; in the hard rounds it has `inHard` times its usual strength. */
function twin(inHard: number | null, from = 0): TestModel {
  let count = from - 1
  return {
    tick() {
      count += 1
    },
    predict() {
      const isHard = count >= hard.first && count <= hard.last
      if (isHard && inHard === null) throw new Error('no answer')
      return { value: 0.5 * (isHard ? (inHard ?? 0) : 1) * Math.sign(closeAt(count + 5) - closeAt(count)) }
    },
  }
}

/** `bad` has the worst score of every round. */
const stayers = (from = 0) => ({ brave: twin(-1, from), mute: twin(null, from), bad: createOracle(-1, from) })
const dodgers = (from = 0) => ({ removed: twin(1, from), quarantined: twin(1, from), renamed: twin(1, from) })

const identityOf = (id: string): ModelIdentity => model(id)

async function runCompetition(newcomers: NewcomerPolicy, store: Store, missing: object = {}) {
  const changes = {
    baselines: ['flat'],
    prediction: missing,
    leaderboard: { windows: { recent: '2h' }, newcomers, minCoverage: newcomers === 'wait' ? 0.8 : undefined },
    checkpoint: { every: '2h', minCoverage: 0.5 },
  }
  const models = { ...stayers(), ...dodgers() }
  const { drive, pipeline, runner } = await openCompetition({ changes, models, identityOf, store })
  await drive(...candles(0, hard.first - 1))
  runner.setRetirements({ removed: 'it was removed', quarantined: 'its code is wrong' })
  const { removed: _removed, quarantined: _quarantined, ...rest } = { ...stayers(hard.first), ...dodgers(hard.first) }
  runner.connect(rest, { renamed: { name: 'flat' } })
  await drive(...candles(hard.first, hard.last))
  runner.setRetirements({})
  // They return with new code under the same ids.
  runner.connect({ ...stayers(hard.last + 1), ...dodgers(hard.last + 1) })
  await drive(...candles(hard.last + 1, 128))
  await pipeline.settle()
  await pipeline.checkpoint()
  const board = await store.latestLeaderboard()
  const [checkpoint] = await store.checkpoints({ limit: 1 })
  if (board?.asOf !== minute(120) || checkpoint === undefined) throw new Error('the two hours are not closed')
  return {
    board,
    checkpoint,
    models: await store.models(),
    periods: await store.periodsBetween(minute(0), minute(120)),
    snapshots: await store.snapshotReports(filter()),
  }
}

type Results = Awaited<ReturnType<typeof runCompetition>>

const policies: readonly NewcomerPolicy[] = ['wait', 'own', 'worst']
const ids = Object.keys(dodgers())

function requireNoGain({ board, checkpoint, models, snapshots }: Results): void {
  const standing = (id: string) => board.entries.find(({ modelId }) => modelId === id)
  const pay = (id: string) => checkpoint.entries.find(({ modelId }) => modelId === id)
  const mute = { value: standing('mute')?.windows.recent as number, pay: pay('mute')?.value as number }
  for (const id of ids) {
    expect(models.find((row) => row.id === id)?.retirements).toHaveLength(1)
    expect(standing(id)?.windows.recent).toBeCloseTo(mute.value, 9)
    expect(pay(id)?.value).toBeCloseTo(mute.pay, 9)
    expect(standing(id)?.rank).toBeGreaterThan(standing('brave')?.rank as number)
    expect(pay(id)?.rewardFrac64).toBeLessThan(pay('brave')?.rewardFrac64 as number)
    // They had no rows in these rounds, and the checkpoint says so.
    expect(standing(id)).toMatchObject({ scoreCount: 94, validCount: 94, roundCount: 114, coverage: 94 / 114 })
    expect(pay(id)).toMatchObject({ scoreCount: 94, dueCount: 94, validCount: 94, roundCount: 114 })
    expect(snapshots.some((row) => row.modelId === id && row.periodEnd === minute(70))).toBe(false)
  }
}

describe.each(policies)('abstaining by retirement, where newcomers: %s', (newcomers) => {
  let database: TestDatabase
  let postgres: Store
  let memory: Results

  beforeAll(async () => {
    database = await createMigratedDatabase()
    postgres = await openPostgresStore({ url: database.url })
    memory = await runCompetition(newcomers, createMemoryStore())
  })

  afterAll(async () => {
    await postgres.close()
    await database.drop()
  })

  test('pays no more than giving no answer, and less than a bad answer', () => requireNoGain(memory))

  test('costs exactly the same on PostgreSQL', async () => {
    const stored = await runCompetition(newcomers, postgres)
    expect(stored.periods).toEqual(memory.periods)
    expect(stored.snapshots).toEqual(memory.snapshots)
    expect(stored.board).toEqual(memory.board)
    expect({ ...stored.checkpoint, createdAt: 0 }).toEqual({ ...memory.checkpoint, createdAt: 0 })
  })
})

test("a contract's own score for missing answers also applies to retired rounds, even if it is below the worst", async () => {
  const missing = { missing: () => ({ value: -5000, hit: false }) }
  const { board } = await runCompetition('own', createMemoryStore(), missing)
  const valueIn = (id: string) => board.entries.find(({ modelId }) => modelId === id)?.windows.recent
  expect(valueIn('mute')).toBeLessThan(-500)
  for (const id of ids) expect(valueIn(id)).toBeCloseTo(valueIn('mute') as number, 9)
})

test('a model that never returns has no rank and no pay', async () => {
  const store = createMemoryStore()
  const changes = { leaderboard: { windows: { recent: '2h' } }, checkpoint: { every: '2h' } }
  const { drive, pipeline, runner } = await openCompetition({ changes, models: { ...stayers(), gone: twin(1) }, store })
  await drive(...candles(0, hard.first - 1))
  runner.setRetirements({ gone: 'it was removed' })
  runner.connect(stayers(hard.first))
  await drive(...candles(hard.first, 128))
  await pipeline.settle()
  await pipeline.checkpoint()
  const { leaderboards, checkpoints } = store.dump()
  const entry = leaderboards.at(-1)?.entries.find(({ modelId }) => modelId === 'gone')
  expect(entry).toMatchObject({ rank: null, unrankedReason: 'retired', scoreCount: 54 })
  expect(checkpoints[0]?.entries.find(({ modelId }) => modelId === 'gone')).toMatchObject({ unpaidReason: 'retired' })
})
