import type { TestDatabase } from '@crunch/embedded-postgres/test-database'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createMemoryStore } from '../src/adapters/store/memory/memory-store.ts'
import { openPostgresStore } from '../src/adapters/store/postgres/postgres-store.ts'
import { tiers } from '../src/contract/defaults/tiers.ts'
import { fullRewardFrac64 } from '../src/domain/checkpoint.ts'
import type { ModelIdentity } from '../src/domain/models/model.ts'
import type { Store } from '../src/ports/store.ts'
import { filter, minute, model } from '../src/ports/store-samples.ts'
import { candles, createOracle, openCompetition, steady, type TestModel } from './competition.ts'
import { createMigratedDatabase } from './migrated-database.ts'

// Attacks on pay and ranks through the whole pipeline, on both stores. Rounds open every minute and resolve after five.
// Periods last ten minutes; the ranking window and the checkpoint last two hours, from minute 0 to 120.

const silent: TestModel = {
  predict() {
    throw new Error('no answer')
  },
}

const changes = {
  baselines: ['flat'],
  leaderboard: { windows: { recent: '2h' } },
  checkpoint: { every: '2h', minCoverage: 0.5, emission: tiers({ payAbove: { baseline: 'flat' } }) },
}

const organizers = (id: string, name = id): ModelIdentity => ({ ...model(id), name, cruncherId: 'organizer' })
const identityOf = (id: string): ModelIdentity => (id === 'flat' ? organizers('flat') : model(id))

const early = (): Record<string, TestModel> => ({
  honest: createOracle(0.5),
  good: createOracle(0.9),
  wrong: createOracle(-0.5),
  flat: steady(0),
  'as-flat': steady(0),
  ...{ idle1: silent, idle2: silent, idle3: silent },
  gone: createOracle(1),
})

/** Two hours: `late` joins at minute 97 with the best answers of all, and `gone` is removed at minute 110. */
async function runCompetition(store: Store) {
  const models = early()
  const { drive, pipeline, runner } = await openCompetition({ changes, models, identityOf, store })
  const settle = async () => {
    await pipeline.settle()
    await pipeline.checkpoint()
  }
  await drive(...candles(0, 96))
  await settle()
  const joined = { ...models, late: createOracle(1, 97) }
  runner.connect(joined)
  await drive(...candles(97, 109))
  await settle()
  await store.beginRetirements([{ modelId: 'gone', reason: 'it was removed' }], minute(110))
  const left = Object.fromEntries(Object.entries(joined).filter(([id]) => id !== 'gone'))
  runner.connect(left)
  await drive(...candles(110, 128))
  await settle()
  await settle()
  const [checkpoint] = await store.checkpoints({ limit: 1 })
  const board = await store.latestLeaderboard()
  const periods = await store.periodsBetween(minute(0), minute(120))
  const snapshots = await store.snapshotReports(filter())
  if (checkpoint === undefined || board === null) throw new Error('nothing closed')
  return { checkpoint, board, periods, snapshots }
}

type Results = Awaited<ReturnType<typeof runCompetition>>

let database: TestDatabase
let postgres: Store
let results: { readonly memory: Results; readonly postgres: Results }

beforeAll(async () => {
  database = await createMigratedDatabase()
  postgres = await openPostgresStore({ url: database.url })
  results = { memory: await runCompetition(createMemoryStore()), postgres: await runCompetition(postgres) }
})

afterAll(async () => {
  await postgres.close()
  await database.drop()
})

describe.each(['memory', 'postgres'] as const)('a competition under attack, on the %s store', (name) => {
  const rewards = () =>
    results[name].checkpoint.entries.map((entry) => [entry.modelId, entry.rewardFrac64, entry.unpaidReason])
  const entryOf = (id: string) => results[name].checkpoint.entries.find(({ modelId }) => modelId === id)

  test('pays only models that answered and beat the baseline', () => {
    expect(rewards()).toEqual([
      ['good', 625_000_000, null],
      ['honest', 375_000_000, null],
      ['as-flat', 0, 'not_above_floor'],
      ['flat', 0, 'baseline'],
      ['wrong', 0, 'not_above_floor'],
      ['late', 0, 'low_coverage'],
      ['gone', 0, 'retired'],
      ['idle1', 0, 'no_answer'],
      ['idle2', 0, 'no_answer'],
      ['idle3', 0, 'no_answer'],
    ])
    expect(results[name].checkpoint).toMatchObject({ floor: 0, emissionReason: null })
    expect(rewards().reduce((sum, [, reward]) => sum + (reward as number), 0)).toBe(fullRewardFrac64)
  })

  test('gives models without any answer a coverage of 0, not 1', () => {
    for (const id of ['idle1', 'idle2', 'idle3']) {
      expect(entryOf(id)).toMatchObject({ rank: null, validCount: 0, roundCount: 114, coverage: 0 })
    }
  })

  test('does not rank the newcomer despite the best answers, and shows its low coverage', () => {
    const { board } = results[name]
    expect(board.asOf).toBe(minute(120))
    expect(board.entries.map(({ modelId, rank, unrankedReason }) => [modelId, rank, unrankedReason])).toEqual([
      ['good', 1, null],
      ['honest', 2, null],
      ['as-flat', 3, null],
      ['flat', null, 'baseline'],
      ['wrong', 4, null],
      ['late', null, 'waiting'],
      ['idle1', null, 'no_data'],
      ['idle2', null, 'no_data'],
      ['idle3', null, 'no_data'],
      ['gone', null, 'retired'],
    ])
    const late = board.entries.find(({ modelId }) => modelId === 'late')
    const good = board.entries.find(({ modelId }) => modelId === 'good')
    expect(late).toMatchObject({ validCount: 17, roundCount: 114, coverage: 17 / 114 })
    expect(late?.windows.recent).toBeGreaterThan(good?.windows.recent as number)
  })
})

test('has identical rounds, snapshots, boards and payouts on both stores', () => {
  const { memory, postgres: stored } = results
  expect(stored.periods).toEqual(memory.periods)
  expect(stored.snapshots).toEqual(memory.snapshots)
  expect(stored.board).toEqual(memory.board)
  const { createdAt: _stored, ...payout } = stored.checkpoint
  const { createdAt: _memory, ...expected } = memory.checkpoint
  expect(payout).toEqual(expected)
})

describe('a floor that no model exceeds', () => {
  const runWith = async (models: Record<string, TestModel>) => {
    const competition = await openCompetition({ changes, models, identityOf })
    await competition.drive(...candles(0, 128))
    await competition.pipeline.settle()
    await competition.pipeline.checkpoint()
    return competition
  }

  test('leaves all models unpaid, with the reason in the checkpoint and a warning in the log', async () => {
    const { store, lines } = await runWith({ flat: steady(0), 'as-flat': steady(0), wrong: createOracle(-1) })
    const [checkpoint] = store.dump().checkpoints
    expect(checkpoint).toMatchObject({ floor: 0, emissionReason: 'nobody_above_floor' })
    expect(checkpoint?.entries.map(({ rewardFrac64 }) => rewardFrac64)).toEqual([0, 0, 0])
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'warn', message: 'a checkpoint pays no model', fields: expect.anything() }),
    )
  })

  test('leaves all models unpaid with a logged error when the baseline did not run', async () => {
    const { store, lines } = await runWith({ good: createOracle(1) })
    expect(store.dump().checkpoints[0]).toMatchObject({
      floor: null,
      emissionReason: 'floor_unknown',
      entries: [{ modelId: 'good', rank: 1, rewardFrac64: 0, unpaidReason: 'floor_unknown' }],
    })
    expect(lines.filter(({ level }) => level === 'error')).toMatchObject([
      { message: 'a checkpoint pays no model', fields: { stage: 'checkpoint', reason: 'floor_unknown' } },
    ])
  })
})

describe('the name of a baseline', () => {
  test.each(['flat', 'Flat', ' FLAT ', 'ｆｌａｔ', 'f\u200blat'])(
    'is refused to a participant who spells it %j: no row, no rank, no pay, and one log entry',
    async (name) => {
      const { store, lines, drive, pipeline, runner } = await openCompetition({
        changes,
        models: { flat: steady(0), good: createOracle(0.5), impostor: createOracle(-1) },
        identityOf: (id) => (id === 'impostor' ? { ...model(id), name } : identityOf(id)),
      })
      await drive(...candles(0, 128))
      await pipeline.settle()
      await pipeline.checkpoint()
      const { models, predictions, leaderboards, checkpoints } = store.dump()
      expect(models.map(({ id, retirements }) => [id, retirements.map(({ reason }) => reason)])).toEqual([
        ['flat', []],
        ['good', []],
        ['impostor', [expect.stringContaining('is the name of a baseline')]],
      ])
      expect(runner.called).not.toContain('impostor')
      expect(predictions.some(({ modelId }) => modelId === 'impostor')).toBe(false)
      expect(leaderboards.at(-1)?.entries.map(({ modelId }) => modelId)).toEqual(['good', 'flat'])
      expect(checkpoints[0]).toMatchObject({ floor: 0, emissionReason: null })
      expect(lines.filter(({ message }) => message.startsWith('a model is refused'))).toMatchObject([
        {
          level: 'error',
          fields: { modelId: 'impostor', cruncherId: 'c-impostor', reason: expect.stringContaining(name) },
        },
      ])
    },
  )

  test('is refused to a model that adopts it later, which has no rows until it is renamed', async () => {
    const names = { a: 'model a' }
    const open = { changes, models: { flat: steady(0), a: createOracle(1) } }
    const { store, drive, runner } = await openCompetition({
      ...open,
      identityOf: (id) => (id === 'a' ? { ...model(id), name: names.a } : identityOf(id)),
    })
    const rename = async (name: string, from: number, to: number) => {
      names.a = name
      runner.connect(open.models)
      await drive(...candles(from, to))
    }
    await drive(...candles(0, 9))
    await rename('flat', 10, 19)
    await rename('honest', 20, 29)
    const { models, predictions } = store.dump()
    const minutes = predictions.filter(({ modelId }) => modelId === 'a').map(({ performedAt }) => performedAt)
    expect(minutes).toEqual([...candles(0, 9), ...candles(20, 29)].map(({ knownAt }) => knownAt))
    expect(models.find(({ id }) => id === 'a')).toMatchObject({ name: 'honest', registeredAt: minute(1) })
  })
})

describe('a baseline that is renamed between the end of a period and the closing of its checkpoint', () => {
  test.each([
    ['at once', 128],
    ['late, after the renaming', 140],
  ])('is still the floor of that period (%s)', async (_, closedAt) => {
    const models = { flat: steady(0), good: createOracle(0.9), honest: createOracle(0.5), wrong: createOracle(-0.5) }
    const { store, drive, pipeline, runner, lines } = await openCompetition({ changes, models, identityOf })
    const close = async () => {
      await pipeline.settle()
      await pipeline.checkpoint()
    }
    await drive(...candles(0, 128))
    if (closedAt === 128) await close()
    runner.connect(models, { flat: { name: 'demo' } })
    await drive(...candles(129, 140))
    await close()
    const [checkpoint] = store.dump().checkpoints
    expect(checkpoint).toMatchObject({ periodEnd: minute(120), floor: 0, emissionReason: null })
    expect(store.dump().models.find(({ id }) => id === 'flat')).toMatchObject({
      name: 'flat',
      retirements: [{ from: minute(130), until: null, reason: expect.stringContaining('cannot become "demo"') }],
    })
    expect(lines.filter(({ message }) => message.startsWith('a model is refused'))).toHaveLength(1)
  })
})

describe('a model that registers within a period', () => {
  test('has the worst score in every earlier round, both of that period and of earlier ones', async () => {
    const worst = { ...changes, leaderboard: { ...changes.leaderboard, newcomers: 'worst' } }
    const { store, drive, pipeline, runner } = await openCompetition({
      changes: worst,
      models: { a: createOracle(0.5), b: createOracle(-0.5) },
    })
    await drive(...candles(0, 96))
    runner.connect({ a: createOracle(0.5, 97), b: createOracle(-0.5, 97), late: createOracle(1, 97) })
    await drive(...candles(97, 128))
    await pipeline.settle()
    const { scores, leaderboards } = store.dump()
    const inWindow = scores.filter(({ resolvableAt }) => resolvableAt < minute(120))
    const valueOfScore = (score: (typeof scores)[number]) => score.value?.value as number
    const rounds = [...new Set(inWindow.map(({ roundId }) => roundId))]
    const expected = rounds.map((roundId) => {
      const ofRound = inWindow.filter((score) => score.roundId === roundId)
      const own = ofRound.find(({ modelId }) => modelId === 'late')
      return own === undefined ? Math.min(...ofRound.map(valueOfScore)) : valueOfScore(own)
    })
    const late = leaderboards
      .find(({ asOf }) => asOf === minute(120))
      ?.entries.find(({ modelId }) => modelId === 'late')
    expect(rounds).toHaveLength(114)
    expect(late?.validCount).toBe(17)
    expect(late?.windows.recent).toBeCloseTo(expected.reduce((sum, value) => sum + value, 0) / 114, 9)
    expect(late?.rank).not.toBeNull()
  })
})
