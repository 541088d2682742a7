import { describe, expect, test } from 'vitest'
import { resolvedContract } from '../../test/sample-contract.ts'
import { createTestLog } from '../../test/test-log.ts'
import { createMemoryStore } from '../adapters/store/memory/memory-store.ts'
import { btc, candle, eth, minute } from '../ports/store-samples.ts'
import { createFeedHealth } from './feed-health.ts'

// The feeds of the sample contract are stale after three minutes.
function open() {
  const store = createMemoryStore()
  const log = createTestLog()
  const health = createFeedHealth(resolvedContract(), { store, log })
  const states = async () =>
    Object.fromEntries(
      (await store.feedStates()).map((state) => [state.scope.subject, [state.status, state.statusReason]]),
    )
  return { health, log, states }
}

describe('the health of feeds', () => {
  test('is up from the first record on, and said once', async () => {
    const { health, log, states } = open()
    await health.heard(btc, minute(0), minute(0))
    await health.heard(btc, minute(1), minute(1))
    expect(await states()).toEqual({ BTCUSDT: ['up', null] })
    expect(log.lines).toEqual([
      { level: 'info', message: 'a feed is up', fields: { stage: 'feed', scope: 'binance:BTCUSDT:candle:1m' } },
    ])
  })

  test('is stale after three granularities without a record, said once, and up again with the next', async () => {
    const { health, log, states } = open()
    await health.heard(btc, minute(0), minute(0))
    await health.heard(eth, minute(2), minute(2))
    await health.check(minute(3))
    expect((await states()).BTCUSDT).toEqual(['up', null])
    await health.check(minute(3) + 1)
    await health.check(minute(4))
    expect(await states()).toEqual({
      BTCUSDT: ['stale', 'nothing new for more than 180 s'],
      ETHUSDT: ['up', null],
    })
    await health.heard(btc, minute(4), minute(4))
    expect((await states()).BTCUSDT).toEqual(['up', null])
    expect(log.lines.map(({ level, message }) => [level, message])).toEqual([
      ['info', 'a feed is up'],
      ['info', 'a feed is up'],
      ['warn', 'a feed is stale'],
      ['info', 'a feed is up'],
    ])
  })

  test('is measured from the newest record, not from the last that came', async () => {
    const { health, states } = open()
    await health.heard(btc, minute(10), minute(10))
    await health.heard(btc, minute(1), minute(10))
    await health.check(minute(12))
    expect((await states()).BTCUSDT).toEqual(['up', null])
  })

  test('is stale also for a feed that only an earlier process heard', async () => {
    const store = createMemoryStore()
    await store.appendRecords([candle(0)])
    await store.putFeedStatus(btc, 'up', null, minute(1))
    const health = createFeedHealth(resolvedContract(), { store, log: createTestLog() }, await store.feedStates())
    await health.check(minute(60))
    expect(await store.feedStates()).toMatchObject([{ scope: btc, status: 'stale' }])
  })

  test('says nothing of a feed that was never heard', async () => {
    const { health, log, states } = open()
    await health.check(minute(600))
    expect(await states()).toEqual({})
    expect(log.lines).toEqual([])
  })

  test('is down for every feed when the source ends, and stays so until a record is heard', async () => {
    const { health, states } = open()
    await health.heard(btc, minute(0), minute(0))
    await health.end([btc, eth], 'the recording has ended', minute(1))
    await health.check(minute(60))
    const down = ['down', 'the recording has ended']
    expect(await states()).toEqual({ BTCUSDT: down, ETHUSDT: down })
    await health.heard(btc, minute(60), minute(60))
    expect((await states()).BTCUSDT).toEqual(['up', null])
  })
})
