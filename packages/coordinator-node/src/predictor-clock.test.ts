import { describe, expect, test } from 'vitest'
import { createTestRunner, steady } from '../test/competition.ts'
import { changedContract } from '../test/sample-contract.ts'
import { createTestLog } from '../test/test-log.ts'
import { createMemoryStore } from './adapters/store/memory/memory-store.ts'
import { createPipeline } from './pipeline.ts'
import { candle, minute } from './ports/store-samples.ts'

describe('a clock that goes back before known records', () => {
  test('opens no round, because its truth might already be known', async () => {
    const schedule = [
      { key: 'clock', subject: 'BTCUSDT', every: '1m', horizon: '5m', step: '1m', on: 'clock' as const },
    ]
    let now = minute(121)
    const store = createMemoryStore()
    const pipeline = createPipeline(
      changedContract({ prediction: { schedule } }),
      { store, clock: { now: () => now, refresh: async () => now, turn: async () => {} }, log: createTestLog() },
      { clockToleranceMs: 5_000 },
    )
    const rounds = await pipeline.openPredictor(createTestRunner({ a: steady(0.5) }))
    await pipeline.accept([candle(120)])
    now = minute(1)
    expect((await rounds.predictAt(minute(1))).rounds).toEqual([])
    now = minute(121) - 5_000
    expect((await rounds.predictAt(minute(121))).rounds).toHaveLength(1)
  })
})
