import { expect, it } from 'vitest'
import type { FeedRecord } from '../domain/feed-record.ts'
import type { StoreUnderTest } from './store.testsuite.ts'
import type { Store } from './store.ts'
import { btc, candle, eth, minute, minuteMs, round, schedule } from './store-samples.ts'

const candles = (...counts: readonly number[]): FeedRecord[] => counts.map((count) => candle(count))

async function stateOf(store: Store, subject = 'BTCUSDT') {
  return (await store.feedStates()).find(({ scope }) => scope.subject === subject)
}

export function feedTests(context: StoreUnderTest): void {
  appendTests(context)
  revisionTests(context)
  readTests(context)
  stateTests(context)
  pruneTests(context)
  scheduleAndModelTests(context)
}

function appendTests(context: StoreUnderTest): void {
  it('returns the inserted records in batch order', async () => {
    const batch = [candle(2), candle(0), candle(1, { close: 1 }, eth)]
    const appended = await context.store.appendRecords(batch)
    expect(appended).toEqual({ inserted: batch, duplicateCount: 0, revisions: [] })
    expect(await context.store.latestRecords(btc, 10, minute(9))).toEqual(candles(0, 2))
  })

  it('accepts an empty batch', async () => {
    expect(await context.store.appendRecords([])).toEqual({ inserted: [], duplicateCount: 0, revisions: [] })
    expect(await context.store.feedStates()).toEqual([])
  })

  it('ignores a record with the same key and values, in any order of the keys', async () => {
    await context.store.appendRecords([candle(0, { open: 1, close: 2 })])
    const before = await stateOf(context.store)
    const again = { ...candle(0, { close: 2, open: 1 }), receivedAt: minute(50) }
    expect(await context.store.appendRecords([again])).toEqual({ inserted: [], duplicateCount: 1, revisions: [] })
    expect(await stateOf(context.store)).toEqual(before)
  })

  it('detects duplicates and revisions within one batch', async () => {
    const revised = candle(0, { close: 7 })
    const appended = await context.store.appendRecords([candle(0), candle(0), revised, candle(1), revised])
    expect(appended).toEqual({ inserted: candles(0, 1), duplicateCount: 2, revisions: [revised] })
  })

  it('moves the watermark forward and never back', async () => {
    await context.store.appendRecords(candles(5))
    expect((await stateOf(context.store))?.watermarkAt).toBe(minute(6))
    await context.store.appendRecords(candles(1, 3))
    const state = await stateOf(context.store)
    expect(state).toMatchObject({ watermarkAt: minute(6), oldestEventAt: minute(1), newestEventAt: minute(5) })
    expect(state?.recordCount).toBe(3)
  })

  it('inserts late records in order', async () => {
    await context.store.appendRecords(candles(4, 9, 2))
    await context.store.appendRecords(candles(7, 1))
    await context.store.appendRecords(candles(...Array.from({ length: 40 }, (_, index) => 60 - index)))
    const stored = await context.store.latestRecords(btc, 5, minute(22))
    expect(stored).toEqual(candles(2, 4, 7, 9, 21))
  })

  it('loses and duplicates nothing when two workers append the same records concurrently', async () => {
    const other = await context.other()
    const batch = candles(...Array.from({ length: 50 }, (_, index) => index))
    const results = await Promise.all([
      context.store.appendRecords(batch),
      other.appendRecords([...batch].reverse()),
      context.store.appendRecords(batch.slice(10)),
    ])
    expect(results.reduce((sum, { inserted }) => sum + inserted.length, 0)).toBe(50)
    expect(results.reduce((sum, { duplicateCount }) => sum + duplicateCount, 0)).toBe(90)
    expect(results.flatMap(({ revisions }) => revisions)).toEqual([])
    expect((await stateOf(context.store))?.recordCount).toBe(50)
  })

  it('refuses instants that are not whole milliseconds, and then writes nothing of the batch', async () => {
    const broken = { ...candle(1), knownAt: minute(2) + 0.5 }
    await expect(context.store.appendRecords([candle(0), broken])).rejects.toThrow(/whole milliseconds/)
    expect(await context.store.latestRecords(btc, 10, minute(9))).toEqual([])
  })
}

function revisionTests(context: StoreUnderTest): void {
  it('stores a revision separately, counts it and keeps the stored record', async () => {
    await context.store.appendRecords(candles(0))
    const revised = candle(0, { close: 7 })
    expect(await context.store.appendRecords([revised, candle(1)])).toEqual({
      inserted: candles(1),
      duplicateCount: 0,
      revisions: [revised],
    })
    expect(await context.store.latestRecords(btc, 10, minute(9))).toEqual(candles(0, 1))
    expect(await stateOf(context.store)).toMatchObject({ revisionCount: 1, recordCount: 2 })
  })

  it('counts a repeated revision once, and another revision again', async () => {
    await context.store.appendRecords(candles(0))
    await context.store.appendRecords([candle(0, { close: 7 })])
    const again = await context.store.appendRecords([candle(0, { close: 7 })])
    expect(again).toEqual({ inserted: [], duplicateCount: 1, revisions: [] })
    await context.store.appendRecords([candle(0, { close: 8 })])
    expect((await stateOf(context.store))?.revisionCount).toBe(2)
  })
}

function readTests(context: StoreUnderTest): void {
  it('returns the newest records known by an instant, oldest first', async () => {
    await context.store.appendRecords([...candles(0, 1, 2, 3, 4), candle(2, { close: 1 }, eth)])
    const { store } = context
    expect(await store.latestRecords(btc, 2, minute(4))).toEqual(candles(2, 3))
    expect(await store.latestRecords(btc, 2, minute(4) - 1)).toEqual(candles(1, 2))
    expect(await store.latestRecords(btc, 0, minute(4))).toEqual([])
    expect(await store.latestRecords(btc, 9, minute(0))).toEqual([])
    expect(await store.latestRecords({ ...btc, subject: 'none' }, 9, minute(9))).toEqual([])
  })

  it('orders records with equal knownAt by eventAt', async () => {
    const early = { ...candle(0), knownAt: minute(9) }
    const late = { ...candle(1), knownAt: minute(9) }
    await context.store.appendRecords([late, early])
    expect(await context.store.latestRecords(btc, 2, minute(9))).toEqual([early, late])
    expect(await context.store.latestRecords(btc, 1, minute(9))).toEqual([late])
  })

  it('returns the newest watermark of all scopes', async () => {
    expect(await context.store.newestWatermark()).toBeNull()
    await context.store.ensureFeeds([btc], minute(0))
    expect(await context.store.newestWatermark()).toBeNull()
    await context.store.appendRecords([candle(8, { close: 1 }, eth), candle(3)])
    expect(await context.store.newestWatermark()).toBe(minute(9))
  })

  it('distinguishes scopes whose joined names are equal', async () => {
    const left = candle(0, { close: 1 }, { ...btc, source: 'a:b', subject: 'c' })
    const right = candle(0, { close: 2 }, { ...btc, source: 'a', subject: 'b:c' })
    expect((await context.store.appendRecords([left, right])).inserted).toHaveLength(2)
    expect(await context.store.latestRecords(right, 5, minute(9))).toEqual([right])
  })
}

function pruneTests(context: StoreUnderTest): void {
  const prune = (before: number, keepMs = 0, limit = 100) =>
    context.store.pruneRecords({ before: minute(before), keepMs, limit })
  const left = async (scope = btc) =>
    (await context.store.latestRecords(scope, 100, minute(100))).map(({ eventAt }) => (eventAt - minute(0)) / 60_000)

  it('prunes records known before an instant, oldest first, with their revisions, and keeps the counts', async () => {
    await context.store.appendRecords([...candles(0, 1, 2, 3, 4, 5), candle(0, { close: 7 })])
    const before = await stateOf(context.store)
    expect(await prune(4, 0, 2)).toBe(2)
    expect(await left()).toEqual([2, 3, 4, 5])
    expect(await prune(4)).toBe(1)
    expect(await prune(4)).toBe(0)
    expect(await left()).toEqual([3, 4, 5])
    expect(await stateOf(context.store)).toEqual(before)
    // The revision was deleted with its record, so the same values are not a duplicate any more.
    await context.store.appendRecords([candle(0)])
    expect((await context.store.appendRecords([candle(0, { close: 7 })])).revisions).toHaveLength(1)
  })

  it('never prunes the newest record of a series', async () => {
    await context.store.appendRecords([...candles(0, 1), candle(0, { close: 1 }, eth)])
    expect(await prune(90)).toBe(1)
    expect([await left(), await left(eth)]).toEqual([[1], [0]])
  })

  it('keeps the records of its series that an unresolved round needs', async () => {
    const { store } = context
    await store.appendRecords(
      [0, 1, 2, 3, 4, 5, 6, 7, 8].flatMap((count) => [candle(count), candle(count, undefined, eth)]),
    )
    await store.putSchedules([schedule()])
    await store.openRound(round(4))
    expect(await prune(7, minuteMs)).toBe(2 + 6)
    expect([await left(), await left(eth)]).toEqual([
      [2, 3, 4, 5, 6, 7, 8],
      [6, 7, 8],
    ])
  })
}

function stateTests(context: StoreUnderTest): void {
  it('creates the state of a scope once, ordered by scope key', async () => {
    await context.store.ensureFeeds([eth, btc], minute(0))
    await context.store.ensureFeeds([btc], minute(5))
    const fresh = {
      recordCount: 0,
      oldestEventAt: null,
      newestEventAt: null,
      watermarkAt: null,
      updatedAt: minute(0),
      revisionCount: 0,
      status: 'down',
      statusReason: 'no data yet',
      statusSince: minute(0),
    }
    expect(await context.store.feedStates()).toEqual([
      { ...fresh, scope: btc },
      { ...fresh, scope: eth },
    ])
  })

  it('keeps the state of a scope that has data', async () => {
    await context.store.appendRecords(candles(0))
    await context.store.ensureFeeds([btc], minute(9))
    expect(await stateOf(context.store)).toMatchObject({ recordCount: 1, updatedAt: minute(1) + 250 })
  })

  it('stores a status with its reason, and keeps its start', async () => {
    const { store } = context
    await store.ensureFeeds([btc], minute(0))
    await store.putFeedStatus(btc, 'stale', 'silent for 3 minutes', minute(4))
    await store.putFeedStatus(btc, 'stale', 'silent for 5 minutes', minute(6))
    const stale = {
      status: 'stale',
      statusReason: 'silent for 5 minutes',
      statusSince: minute(4),
      updatedAt: minute(6),
    }
    expect(await stateOf(store)).toMatchObject(stale)
    await store.putFeedStatus(btc, 'up', null, minute(7))
    expect(await stateOf(store)).toMatchObject({ status: 'up', statusReason: null, statusSince: minute(7) })
    await store.putFeedStatus(eth, 'frozen', 'same values', minute(8))
    expect(await stateOf(store, 'ETHUSDT')).toMatchObject({ status: 'frozen', statusSince: minute(8) })
    await store.putFeedStatus(eth, 'suspect', 'a jump', minute(9))
    expect(await stateOf(store, 'ETHUSDT')).toMatchObject({ status: 'suspect', statusSince: minute(9) })
  })
}

function scheduleAndModelTests(context: StoreUnderTest): void {
  it('replaces the schedules by those of the contract, in its order', async () => {
    const { store } = context
    const first = schedule()
    const second = schedule({ key: 'a/ñ:1', scope: eth, horizonMs: 31_536_000_000, on: 'clock' })
    await store.putSchedules([first, second])
    expect(await store.schedules()).toEqual([first, second])
    const longer = { ...first, horizonMs: 600_000 }
    await store.putSchedules([second, longer])
    expect(await store.schedules()).toEqual([second, longer])
    await store.putSchedules([longer])
    expect(await store.schedules()).toEqual([longer])
    await store.putSchedules([])
    expect(await store.schedules()).toEqual([])
  })

  it('refuses two schedules with the same key', async () => {
    await expect(context.store.putSchedules([schedule(), schedule()])).rejects.toThrow(/BTCUSDT-5m/)
  })

  it('registers models once and updates their names, ordered by id', async () => {
    const { store } = context
    const identity = { name: 'n', deploymentId: 'd', cruncherId: 'c', cruncherName: 'cn' }
    await store.registerModels(
      ['b', 'B', '10', '9', 'é', '\u{1F600}', '\uFFFD'].map((id) => ({ id, ...identity })),
      minute(1),
    )
    await store.registerModels([{ id: 'b', ...identity, name: 'new name', deploymentId: 'd2' }], minute(2))
    await store.registerModels([], minute(3))
    const models = await store.models()
    expect(models.map(({ id }) => id)).toEqual(['10', '9', 'B', 'b', 'é', '\uFFFD', '\u{1F600}'])
    const renamed = { id: 'b', ...identity, name: 'new name', deploymentId: 'd2' }
    expect(models[3]).toEqual({ ...renamed, registeredAt: minute(1), retirements: [] })
  })
}
