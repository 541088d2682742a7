import { describe, expect, test, vi } from 'vitest'
import { candles, openCompetition, steady } from '../test/competition.ts'
import { createMemoryStore } from './adapters/store/memory/memory-store.ts'
import { candle, eth, minute, model } from './ports/store-samples.ts'

const never = new Promise<never>(() => {})

const openedAt = (rounds: readonly { readonly performedAt: number }[]) =>
  rounds.map((round) => (round.performedAt - minute(0)) / 60_000)

describe('a round', () => {
  test('has no row for a model retired at its instant, and a row again from the end of the retirement on', async () => {
    const store = createMemoryStore()
    await store.registerModels([model('gone')], minute(0))
    await store.beginRetirements([{ modelId: 'gone', reason: 'removed' }], minute(2))
    await store.endRetirements(['gone'], minute(4))
    const { drive } = await openCompetition({ store, models: { a: steady(0.5) } })
    await drive(...candles(0, 3))
    const rows = store.dump().predictions.filter(({ modelId }) => modelId === 'gone')
    expect(openedAt(rows)).toEqual([1, 4])
  })

  test('has no row for a model that was retired when the round opened', async () => {
    const store = createMemoryStore()
    await store.registerModels([model('b')], minute(0))
    await store.beginRetirements([{ modelId: 'b', reason: 'removed' }], minute(1))
    const { drive } = await openCompetition({ store, models: { a: { predict: () => never } }, timeoutMs: 60_000 })
    void drive(candle(0))
    await vi.waitFor(async () => expect(await store.unansweredRounds()).toHaveLength(1))
    await openCompetition({ store, models: { a: steady(1) } })
    expect(store.dump().predictions.map((row) => [row.modelId, row.reason])).toEqual([['a', 'coordinator_restarted']])
  })
})

describe('an id that returns under another cruncher', () => {
  test('is not called and has no rows; a new history inherits neither scores, coverage nor pay', async () => {
    const { store, runner, drive, pipeline } = await openCompetition({
      models: { a: steady(0.5), b: steady(-0.5) },
    })
    await drive(...candles(0, 9))
    const thief = { a: { cruncherId: 'thief', deploymentId: 'stolen' } }
    runner.connect({ a: steady(0.9), b: steady(-0.5) }, thief)
    const before = runner.called.length
    await drive(...candles(10, 19))
    expect(new Set(runner.called.slice(before))).toEqual(new Set(['b']))
    const rowsOf = (id: string) => store.dump().predictions.filter(({ modelId }) => modelId === id)
    expect(openedAt(rowsOf('a'))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(rowsOf('b')).toHaveLength(20)

    await store.reassignModel('a', 'thief', minute(20))
    await drive(...candles(20, 200))
    // One round detects the decision; the next one is the first with a row.
    expect(openedAt(rowsOf('a~2'))[0]).toBe(22)
    expect(rowsOf('a~2').every(({ output }) => JSON.stringify(output) === '{"value":0.9}')).toBe(true)
    expect(rowsOf('a')).toHaveLength(10)
    await pipeline.settle()
    await pipeline.checkpoint()
    const { snapshots, leaderboards } = store.dump()
    const ofThief = snapshots.filter(({ modelId }) => modelId === 'a~2')
    const ofFirst = snapshots.filter(({ modelId }) => modelId === 'a')
    expect(ofFirst.reduce((sum, { dueCount }) => sum + dueCount, 0)).toBe(10)
    expect(ofThief.length).toBeGreaterThan(0)
    expect(ofThief.every(({ periodEnd }) => periodEnd > minute(22))).toBe(true)
    const entry = leaderboards.at(-1)?.entries.find(({ modelId }) => modelId === 'a~2')
    expect(entry?.scoreCount).toBeLessThanOrEqual(rowsOf('a~2').length)
  })
})

describe('a model that the orchestrator', () => {
  test('removed has no rows from the next round on; a crashed one has rows with that reason', async () => {
    const { store, runner, drive, lines } = await openCompetition({
      models: { a: steady(1), b: steady(0), c: steady(0) },
    })
    await drive(...candles(0, 1))
    runner.connect({ c: steady(0) })
    runner.setRetirements({ a: 'it was removed' })
    await drive(...candles(2, 5))
    const rows = store.dump().predictions
    expect(openedAt(rows.filter(({ modelId }) => modelId === 'a'))).toEqual([1, 2])
    expect(rows.filter(({ modelId }) => modelId === 'b').slice(2)).toEqual(
      Array(4).fill(expect.objectContaining({ status: 'ABSENT', reason: 'not_running', blame: 'model' })),
    )
    expect(lines).toMatchObject([
      {
        level: 'warn',
        message: expect.stringContaining('retired'),
        fields: { modelId: 'a', reason: 'it was removed' },
      },
    ])
  })
})

test('rounds of two subjects at one instant have the same models, even if one is removed in between', async () => {
  const schedule = ['BTCUSDT', 'ETHUSDT'].map((subject) => ({ subject, every: '1m', horizon: '5m', step: '1m' }))
  const { store, runner, drive, pipeline } = await openCompetition({
    changes: { prediction: { schedule } },
    models: { a: steady(1), b: steady(0) },
  })
  await drive(candle(0), candle(0, { close: 1 }, eth), candle(1))
  runner.connect({ b: steady(0) })
  runner.setRetirements({ a: 'it was removed' })
  await pipeline.accept([candle(1, { close: 1 }, eth)])
  await drive(candle(2), candle(2, { close: 1 }, eth))
  const { models, rounds, predictions } = store.dump()
  const [{ retirements } = { retirements: [] }] = models
  expect(retirements).toEqual([{ from: minute(2) + 1, until: null, reason: 'it was removed' }])
  const rows = rounds.map(({ id, performedAt }) => {
    const ids = predictions.filter(({ roundId }) => roundId === id).map(({ modelId }) => modelId)
    return [performedAt, ids.join()]
  })
  // No retirement covers an instant at which the model had a row.
  expect(rows).toEqual([1, 1, 2, 2, 3, 3].map((count) => [minute(count), count < 3 ? 'a,b' : 'b']))
})
