import { describe, expect, test } from 'vitest'
import { market, resolvedContract, sampleContract } from '../../test/sample-contract.ts'
import { btc, schedule } from '../ports/store-samples.ts'
import { bars, candles, ticks } from './feed-definition.ts'
import { contractFeeds, expireMs, maxStalenessMs, resolveContract } from './resolved-contract.ts'

const minuteMs = 60_000
const withSchedule = (...entries: object[]) =>
  resolvedContract({
    prediction: { schedule: entries.map((entry) => ({ subject: 'BTCUSDT', every: '1m', horizon: '5m', ...entry })) },
  })

describe('resolveContract', () => {
  test('converts every duration to milliseconds', () => {
    expect(resolvedContract()).toMatchObject({
      contract: { name: 'next-move' },
      inputWindowMs: 10 * minuteMs,
      timeoutMs: 1_000,
      snapshotEveryMs: 10 * minuteMs,
      checkpointEveryMs: 30 * minuteMs,
      windows: [
        { name: 'recent', lengthMs: 20 * minuteMs },
        { name: 'long', lengthMs: 60 * minuteMs },
      ],
    })
  })

  test('fills in the defaults of a schedule', () => {
    expect(resolveContract(sampleContract).schedules).toEqual([schedule()])
    expect(withSchedule({ horizon: '90s' }).schedules[0]).toMatchObject({
      key: 'BTCUSDT-90s',
      stepMs: 90_000,
      on: 'record',
    })
    expect(withSchedule({ key: 'own', on: 'clock' }).schedules[0]).toMatchObject({ key: 'own', on: 'clock' })
  })

  test('has one series per subject, from one or several feeds', () => {
    const gold = { ...market, source: 'pyth', subjects: ['XAU'] }
    const feeds = contractFeeds(resolvedContract({ feed: [market, gold] }).contract)
    expect(feeds.map(({ scope }) => `${scope.source}:${scope.subject}`)).toEqual([
      ...['binance:BTCUSDT', 'binance:ETHUSDT', 'pyth:XAU'],
    ])
    expect(contractFeeds(sampleContract).map(({ scope }) => scope)[0]).toEqual(btc)
  })

  test('refuses a subject that no feed has', () => {
    expect(() => withSchedule({ subject: 'SOL' })).toThrow(
      'no feed has "SOL"; the contract\'s feeds are binance:BTCUSDT',
    )
  })
})

describe('default times', () => {
  test('maxStaleness is a fifth of the horizon, at least one granularity, unless the contract sets it', () => {
    const stale = (horizonMs: number, truth = {}) =>
      maxStalenessMs(resolvedContract({ truth }), schedule({ horizonMs }))
    expect([minuteMs, 5 * minuteMs, 60 * minuteMs].map((horizonMs) => stale(horizonMs))).toEqual([
      ...[minuteMs, minuteMs, 12 * minuteMs],
    ])
    expect(stale(60 * minuteMs, { maxStaleness: '5s' })).toBe(5_000)
  })

  test('expire is the horizon, at least an hour, unless the contract sets it', () => {
    const waits = (horizonMs: number, truth = {}) => expireMs(resolvedContract({ truth }), { horizonMs })
    expect([waits(minuteMs), waits(120 * minuteMs), waits(minuteMs, { expire: '5m' })]).toEqual([
      ...[60 * minuteMs, 120 * minuteMs, 5 * minuteMs],
    ])
  })
})

describe('feeds', () => {
  test('of candles and ticks check the values of their records', () => {
    const options = { source: 'binance', subjects: ['BTCUSDT'], granularity: '5m' } as const
    const candle = { open: 1, high: 2, low: 0, close: 1, volume: 9 }
    expect(candles(options)).toMatchObject({ ...options, kind: 'candle' })
    expect(candles(options).values.parse(candle)).toEqual(candle)
    expect(candles(options).values.safeParse({ ...candle, close: Number.NaN }).success).toBe(false)
    expect(ticks(options)).toMatchObject({ ...options, kind: 'tick' })
    expect(ticks(options).values.safeParse({ price: '1' }).success).toBe(false)
  })

  test('convert counts of bars to time by their granularity', () => {
    const bar = bars({ ...market, granularity: '5m' })
    expect([bar(1), bar(12), bar(288), bar(0.5)]).toEqual(['5m', '1h', '1d', '150s'])
  })
})
