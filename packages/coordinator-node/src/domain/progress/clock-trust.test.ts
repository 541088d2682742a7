import { describe, expect, it } from 'vitest'
import { btc, minute } from '../../ports/store-samples.ts'
import type { FeedState } from '../feed-record.ts'
import { clockBehindRows, clockBesideStore } from './clock-trust.ts'

const hour = 3_600_000
const empty = { feeds: [], lastRoundTimes: new Map(), lastPeriodEnd: null, lastCheckpointEnd: null }
const now = minute(0)
const feedAt = (watermarkAt: number | null) => ({ scope: btc, watermarkAt }) as FeedState

describe('a clock compared with the stored rows', () => {
  it.each([
    ['a record', { feeds: [feedAt(null), feedAt(now + 2 * hour)] }, /2 h behind the newest record \(binance:BTCUSDT/],
    ['a round', { lastRoundTimes: new Map([['BTC-5m', now + 2 * hour]]) }, /2 h behind the newest round \(BTC-5m\)/],
    ['a leaderboard', { lastPeriodEnd: now + 2 * hour }, /2 h behind the newest leaderboard/],
    ['a checkpoint', { lastCheckpointEnd: now + 2 * hour }, /2 h behind the newest checkpoint, of 2026-03-01T12:00/],
  ])('is behind when %s is from the future', (_name, rows, what) => {
    const fault = clockBehindRows({ ...empty, ...rows }, now, 5_000)
    expect(fault?.what).toMatch(what)
    expect(fault?.fix).toMatch(/NTP/)
  })

  it('may be behind by the tolerance or ahead by any time, and is trusted while nothing is stored', () => {
    expect(clockBehindRows({ ...empty, feeds: [feedAt(now + 5_000)] }, now, 5_000)).toBeNull()
    expect(clockBehindRows({ ...empty, feeds: [feedAt(now + 5_001)] }, now, 5_000)).not.toBeNull()
    expect(clockBehindRows({ ...empty, feeds: [feedAt(now - 100 * hour)] }, now, 5_000)).toBeNull()
    expect(clockBehindRows(empty, now, 5_000)).toBeNull()
  })
})

describe("a clock compared with the database server's", () => {
  it('is behind or ahead by the difference beyond the duration of the query', () => {
    expect(clockBesideStore(now + 2 * hour, now, now + 100, 5_000)?.what).toMatch(/is 1 h 59 min behind that/)
    expect(clockBesideStore(now - 2 * hour, now, now + 100, 5_000)?.what).toMatch(/is 2 h ahead of that/)
    expect(clockBesideStore(now + 5_100, now, now + 100, 5_000)).toBeNull()
    expect(clockBesideStore(now - 5_000, now, now + 100, 5_000)).toBeNull()
    // A slow answer proves nothing.
    expect(clockBesideStore(now + 20_000, now, now + 40_000, 5_000)).toBeNull()
    expect(clockBesideStore(null, now, now, 0)).toBeNull()
  })
})
