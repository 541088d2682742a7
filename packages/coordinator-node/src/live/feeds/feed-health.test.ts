import { describe, expect, test } from 'vitest'
import { type ContractChanges, market, resolvedContract } from '../../../test/sample-contract.ts'
import { createTestLog } from '../../../test/test-log.ts'
import { createMemoryStore } from '../../adapters/store/memory/memory-store.ts'
import { btc, candle, eth, minute } from '../../ports/store-samples.ts'
import { openFeedHealth } from './feed-health.ts'

// The feeds of the sample contract are stale after two minutes.
async function open(changes: ContractChanges = {}, store = createMemoryStore(), toleranceMs?: number) {
  const log = createTestLog()
  const health = await openFeedHealth(resolvedContract(changes), { store, log }, toleranceMs)
  const states = async () =>
    Object.fromEntries(
      (await store.feedStates()).map((state) => [state.scope.subject, [state.status, state.statusReason]]),
    )
  return { store, health, log, states }
}

const gated = (gate: object): ContractChanges => ({ feed: { ...market, gate } })
const up = ['up', null]

describe('the health of feeds', () => {
  test('is up from the first record on, logged once', async () => {
    const { health, log, states } = await open()
    await health.heard([candle(0)], minute(1))
    await health.heard([candle(1)], minute(2))
    expect(await states()).toEqual({ BTCUSDT: up })
    const fields = { stage: 'feed', scope: 'binance:BTCUSDT:candle:1m', at: '2026-03-01T10:01:00.000Z' }
    expect(log.lines).toEqual([{ level: 'info', message: 'a feed is up', fields }])
  })

  test('is stale after two granularities without a record, logged once, and up again with the next', async () => {
    const { health, log, states } = await open()
    await health.heard([candle(0), candle(2, {}, eth)], minute(1))
    await health.check(minute(3) - 1)
    expect((await states()).BTCUSDT).toEqual(up)
    await health.check(minute(3))
    await health.check(minute(4))
    expect(await states()).toEqual({ BTCUSDT: ['stale', 'no new record for 120 s'], ETHUSDT: up })
    await health.heard([candle(4)], minute(5))
    expect((await states()).BTCUSDT).toEqual(up)
    expect(log.lines.map(({ level, message }) => [level, message])).toEqual([
      ['info', 'a feed is up'],
      ['info', 'a feed is up'],
      ['warn', 'a feed is stale'],
      ['info', 'a feed is up'],
    ])
  })

  test('allows records of granularity 1s at least five seconds to arrive', async () => {
    const { health, states } = await open({ feed: { ...market, granularity: '1s' } })
    const second = (at: number) => ({ ...candle(0), granularity: '1s', eventAt: at, knownAt: at })
    await health.heard([second(minute(0))], minute(0))
    await health.check(minute(0) + 4_999)
    expect((await states()).BTCUSDT).toEqual(up)
    await health.check(minute(0) + 5_000)
    expect((await states()).BTCUSDT).toEqual(['stale', 'no new record for 5 s'])
  })

  test('is measured from the newest record, not from the last arrival', async () => {
    const { health, states } = await open()
    await health.heard([candle(10)], minute(11))
    await health.heard([candle(1)], minute(11))
    await health.check(minute(12))
    expect((await states()).BTCUSDT).toEqual(up)
  })

  test('stays stale while only an old gap is filled', async () => {
    const { health, states } = await open()
    await health.heard([candle(10)], minute(11))
    await health.check(minute(20))
    await health.heard([candle(1)], minute(20))
    expect((await states()).BTCUSDT).toEqual(['stale', 'no new record for 120 s'])
  })

  test('is stale for a feed from which only an earlier process received records', async () => {
    const store = createMemoryStore()
    await store.appendRecords([candle(0)])
    await store.putFeedStatus(btc, 'up', null, minute(1))
    const { health } = await open({}, store)
    await health.check(minute(60))
    expect(await store.feedStates()).toMatchObject([{ scope: btc, status: 'stale' }])
  })

  test('has no status for a feed without any record', async () => {
    const { health, log, states } = await open()
    await health.check(minute(600))
    expect(await states()).toEqual({})
    expect(log.lines).toEqual([])
  })

  test('is down for every feed when the source ends, until a record arrives', async () => {
    const { health, states } = await open()
    await health.heard([candle(-1)], minute(0))
    await health.end([btc, eth], 'the recording has ended', minute(1))
    await health.check(minute(60))
    const down = ['down', 'the recording has ended']
    expect(await states()).toEqual({ BTCUSDT: down, ETHUSDT: down })
    await health.heard([candle(59)], minute(60))
    expect((await states()).BTCUSDT).toEqual(up)
  })
})

describe('the gate of a feed', () => {
  test('makes it frozen from the time of detection, and up again with another value', async () => {
    const { store, health, log, states } = await open(gated({ frozenAfter: 3 }))
    for (let count = 0; count < 5; count += 1) await health.heard([candle(count, { close: 7 })], minute(count + 1))
    const reason = 'the last 3 records have the same values, at least since 2026-03-01T10:00:00.000Z'
    expect(await states()).toEqual({ BTCUSDT: ['frozen', reason] })
    expect((await store.feedStates())[0]?.statusSince).toBe(minute(3))
    await health.heard([candle(5, { close: 8 })], minute(6))
    expect(await states()).toEqual({ BTCUSDT: up })
    expect(log.lines.map(({ message }) => message)).toEqual(['a feed is up', 'a feed is frozen', 'a feed is up'])
  })

  test('continues after a restart from the stored records', async () => {
    const store = createMemoryStore()
    await store.appendRecords([0, 1, 2].map((count) => candle(count, { close: 7 })))
    await store.putFeedStatus(btc, 'up', null, minute(1))
    const { health, states } = await open(gated({ frozenAfter: 3 }), store)
    await health.check(minute(3))
    expect((await states()).BTCUSDT?.[0]).toBe('frozen')
  })

  test('compares series of the same instant, regardless of the order of arrival', async () => {
    const { health, log, states } = await open(gated({ agree: { with: 'ETHUSDT', within: 0.01 } }))
    for (const [count, price] of [100, 150, 75].entries()) {
      await health.heard([candle(count, { close: price }), candle(count, { close: price }, eth)], minute(count + 1))
    }
    expect(await states()).toEqual({ BTCUSDT: up, ETHUSDT: up })
    await health.heard([candle(3, { close: 100 }), candle(3, { close: 98 }, eth)], minute(4))
    const reason = '"close" differs from binance:ETHUSDT:candle:1m by 2.04 %, more than 1 %'
    expect(await states()).toEqual({ BTCUSDT: ['suspect', reason], ETHUSDT: up })
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
  })

  test('logs once when the reason for distrusting the feed changes', async () => {
    const { store, health, log, states } = await open(gated({ maxJump: 0.5, agree: { with: 'ETHUSDT', within: 0.01 } }))
    for (let count = 0; count < 3; count += 1) {
      await health.heard([candle(count, { close: 100 }), candle(count, { close: 100 }, eth)], minute(count + 1))
    }
    await health.heard([candle(3, { close: 100 }), candle(3, { close: 200 }, eth)], minute(4))
    await health.heard([candle(4, { close: 200 }), candle(4, { close: 200 }, eth)], minute(5))
    const [status, reason] = (await states()).BTCUSDT ?? []
    expect([status, reason]).toEqual(['suspect', expect.stringMatching(/^"close" jumped by 100 %/)])
    expect((await store.feedStates())[0]?.statusSince).toBe(minute(4))
    expect(
      log.lines.filter(({ fields }) => String(fields.scope).includes('BTC')).map(({ fields }) => fields.reason),
    ).toEqual([undefined, expect.stringMatching(/differs/), expect.stringMatching(/jumped/)])
  })
})

describe('a feed that had ended', () => {
  test('has the status of its stored records once it is followed again, before a new record arrives', async () => {
    const { health, states } = await open()
    await health.heard([candle(0)], minute(1))
    await health.end([btc, eth], 'line down', minute(1))
    await health.resume([btc], minute(2))
    expect(await states()).toMatchObject({ BTCUSDT: up, ETHUSDT: ['down', 'line down'] })
    await health.end([btc], 'line down', minute(2))
    await health.resume([btc], minute(9))
    expect((await states()).BTCUSDT?.[0]).toBe('stale')
  })
})

describe('a feed that cannot be followed', () => {
  test('is down with the newest reason since the first failure, logged once', async () => {
    const { store, health, log, states } = await open()
    await health.heard([candle(0)], minute(1))
    await health.end([btc], 'the line broke', minute(1))
    await health.end([btc], 'this region is not served', minute(2))
    expect(await states()).toEqual({ BTCUSDT: ['down', 'this region is not served'] })
    expect((await store.feedStates())[0]?.statusSince).toBe(minute(1))
    expect(log.lines.map(({ message }) => message)).toEqual(['a feed is up', 'a feed is down'])
  })

  test('and has no records stays down once it is followed, until one arrives', async () => {
    const store = createMemoryStore()
    await store.ensureFeeds([btc, eth], minute(0))
    const { health, log, states } = await open({}, store)
    await health.end([btc], 'line down', minute(1))
    await health.resume([btc, eth], minute(2))
    await health.check(minute(9))
    const nothing = ['down', 'it is followed, but no record has arrived yet']
    expect(await states()).toEqual({ BTCUSDT: nothing, ETHUSDT: nothing })
    expect(log.lines).toEqual([])
    await health.heard([candle(9), candle(9, {}, eth)], minute(10))
    expect(await states()).toEqual({ BTCUSDT: up, ETHUSDT: up })
  })

  test('according to an earlier process has the status of its records once it is followed again', async () => {
    const store = createMemoryStore()
    await store.appendRecords([candle(0)])
    await store.putFeedStatus(btc, 'down', 'line down', minute(1))
    const { health, states } = await open({}, store)
    await health.resume([btc, eth], minute(2))
    expect((await states()).BTCUSDT).toEqual(up)
  })
})

describe('clock skew', () => {
  test('is detected by a record from the future, which does not count as fresh', async () => {
    const store = createMemoryStore()
    await store.appendRecords([candle(120)])
    await store.putFeedStatus(btc, 'up', null, minute(121))
    const { health, log, states } = await open({}, store, 5_000)
    await health.check(minute(1))
    await health.check(minute(2))
    expect((await states()).BTCUSDT).toEqual([
      'suspect',
      'the clock of this node is 2 h behind the newest record, of 2026-03-01T12:01:00.000Z: set it (NTP)',
    ])
    expect(log.lines).toHaveLength(1)
    await health.check(minute(121))
    expect((await states()).BTCUSDT).toEqual(up)
  })

  test('makes feeds suspect for at least two granularities, until a record is on time', async () => {
    const { health, log, states } = await open()
    await health.heard([candle(0), candle(2, {}, eth)], minute(1))
    await health.suspectClock([btc], 'the clock of this node is behind', minute(1))
    await health.suspectClock([btc, btc], 'the clock of this node is still behind', minute(2))
    await health.check(minute(3))
    expect((await states()).BTCUSDT).toEqual(['suspect', 'the clock of this node is behind'])
    // Records of a filled gap prove nothing about the clock.
    await health.heard([candle(1)], minute(4) - 1)
    expect((await states()).BTCUSDT?.[0]).toBe('suspect')
    await health.heard([candle(3)], minute(4))
    expect(await states()).toEqual({ BTCUSDT: up, ETHUSDT: up })
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
  })

  test('also makes feeds without records suspect', async () => {
    const { health, states } = await open()
    await health.suspectClock([btc], 'the clock of this node is behind', minute(1))
    await health.check(minute(9))
    expect((await states()).BTCUSDT).toEqual(['suspect', 'the clock of this node is behind'])
  })
})

test('statuses are written in the order of their changes', async () => {
  const store = createMemoryStore()
  const written: string[] = []
  let release = () => {}
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  const slow = {
    feedStates: store.feedStates,
    latestRecords: store.latestRecords,
    async putFeedStatus(...[, status]: Parameters<typeof store.putFeedStatus>) {
      if (written.length === 0) await gate
      written.push(status)
    },
  }
  const health = await openFeedHealth(resolvedContract(), { store: slow, log: createTestLog() })
  const all = [health.heard([candle(0)], minute(1)), health.check(minute(9)), health.heard([candle(9)], minute(10))]
  release()
  await Promise.all(all)
  expect(written).toEqual(['up', 'stale', 'up'])
})
