import { describe, expect, test, vi } from 'vitest'
import { candles, openCompetition, steady } from '../test/competition.ts'
import { createMemoryStore } from './adapters/store/memory/memory-store.ts'
import { candle, minute, model } from './ports/store-samples.ts'

const never = new Promise<never>(() => {})

const openedAt = (rounds: readonly { readonly performedAt: number }[]) =>
  rounds.map((round) => (round.performedAt - minute(0)) / 60_000)

describe('a round', () => {
  test('has no row for a model that is retired at its instant, and one again from the end of the retirement on', async () => {
    const store = createMemoryStore()
    await store.registerModels([model('gone')], minute(0))
    await store.beginRetirements([{ modelId: 'gone', reason: 'removed' }], minute(2))
    await store.endRetirements(['gone'], minute(4))
    const { drive } = await openCompetition({ store, models: { a: steady(0.5) } })
    await drive(...candles(0, 3))
    const rows = store.dump().predictions.filter(({ modelId }) => modelId === 'gone')
    expect(openedAt(rows)).toEqual([1, 4])
  })

  test('leaves no row for a model that was retired when the round opened', async () => {
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
