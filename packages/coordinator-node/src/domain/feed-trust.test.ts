import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { btc, candle, eth, minute, minuteMs } from '../ports/store-samples.ts'
import { type FeedGate, freshnessMs, gateRecordCount, isSilent, judgeSeries } from './feed-trust.ts'
import type { JsonObject } from './json/json.ts'

const none: FeedGate = { frozenAfter: null, maxJump: null, agree: null }
const frozen = (frozenAfter: number): FeedGate => ({ ...none, frozenAfter })
const jumps = (limit: number): FeedGate => ({ ...none, maxJump: { watch: 'close', limit } })
const agrees = (within: number): FeedGate => ({
  ...none,
  agree: { watch: 'close', within, peer: { scope: eth, watch: 'close', granularityMs: minuteMs } },
})

/** Candles with these closes, or values; the last one is known at the instant of judgement. */
const series = (...closes: readonly (number | JsonObject)[]) =>
  closes.map((close, count) => candle(count, typeof close === 'number' ? { close } : close))

const statusOf = (gate: FeedGate, ...closes: readonly (number | JsonObject)[]) =>
  judgeSeries(gate, series(...closes), null, minute(closes.length))?.status ?? 'trusted'

describe('a feed', () => {
  test('is fresh for two granularities, at least five seconds', () => {
    expect([1_000, 2_500, 5_000, minuteMs].map(freshnessMs)).toEqual([5_000, 5_000, 10_000, 2 * minuteMs])
    expect(isSilent(minute(0), minuteMs, minute(2) - 1)).toBe(false)
    expect(isSilent(minute(0), minuteMs, minute(2))).toBe(true)
  })
})

describe('a gate', () => {
  test('reads no more records than it needs', () => {
    expect([none, agrees(1), jumps(1), frozen(30), { ...jumps(1), frozenAfter: 2 }].map(gateRecordCount)).toEqual([
      ...[0, 1, 4, 30, 4],
    ])
  })

  test('without options trusts everything', () => {
    expect(statusOf(none, 1, 1, 1e9, { close: 'none' })).toBe('trusted')
  })

  test('trusts a series without records', () => {
    expect(judgeSeries({ ...frozen(2), ...jumps(0.1) }, [], null, minute(0))).toBeNull()
  })
})

describe('frozenAfter', () => {
  test('distrusts a series after exactly that many consecutive records with equal values', () => {
    expect(statusOf(frozen(3), 7, 7)).toBe('trusted')
    expect(statusOf(frozen(3), 1, 7, 7)).toBe('trusted')
    expect(statusOf(frozen(3), 7, 7, 7)).toBe('frozen')
    expect(statusOf(frozen(3), 7, 7, 7, 7)).toBe('frozen')
    expect(statusOf(frozen(3), 7, 7, 7, 8)).toBe('trusted')
    expect(statusOf(frozen(3), 7, 8, 7, 8)).toBe('trusted')
  })

  test('compares all values, regardless of the order of their keys', () => {
    expect(statusOf(frozen(2), { close: 1, volume: 0 }, { volume: 0, close: 1 })).toBe('frozen')
    expect(statusOf(frozen(2), { close: 1, volume: 0 }, { close: 1, volume: 3 })).toBe('trusted')
  })

  test('names the start in the reason', () => {
    expect(judgeSeries(frozen(2), series(5, 7, 7), null, minute(3))).toEqual({
      status: 'frozen',
      cause: 'repetition',
      reason: 'the last 2 records have the same values, at least since 2026-03-01T10:01:00.000Z',
    })
  })
})

describe('maxJump', () => {
  test('distrusts a series from a jump up or down until three consecutive records without a jump', () => {
    expect(statusOf(jumps(0.1), 100, 110)).toBe('trusted')
    expect(statusOf(jumps(0.1), 100, 110.1)).toBe('suspect')
    expect(statusOf(jumps(0.1), 100, 89.9)).toBe('suspect')
    expect(statusOf(jumps(0.1), 100, 200, 200)).toBe('suspect')
    expect(statusOf(jumps(0.1), 100, 200, 200, 200)).toBe('suspect')
    expect(statusOf(jumps(0.1), 100, 200, 200, 200, 200)).toBe('trusted')
    expect(statusOf(jumps(0.1), 100, 200, 200, 100, 100, 100)).toBe('suspect')
  })

  test('counts every change from 0 as a jump', () => {
    expect(statusOf(jumps(5), 0, 0)).toBe('trusted')
    expect(statusOf(jumps(5), 0, 1e-9)).toBe('suspect')
    expect(statusOf(jumps(5), -1, 1)).toBe('trusted')
  })

  test('names the value, the time and the condition for trust in the reason', () => {
    expect(judgeSeries(jumps(0.1), series(100, 150), null, minute(2))?.reason).toBe(
      '"close" jumped by 50 % at 2026-03-01T10:02:00.000Z, more than 10 %; it is trusted again after 3 records without a jump',
    )
  })

  test('distrusts a value that is not a number', () => {
    expect(judgeSeries(jumps(0.1), series(100, { close: null }), null, minute(2))).toMatchObject({
      cause: 'no comparison',
      reason: 'its value "close" is not a number',
    })
  })
})

describe('agree', () => {
  const judge = (own: number | null, other: ReturnType<typeof candle> | null, at = minute(1)) =>
    judgeSeries(agrees(0.01), [candle(0, { close: own })], other, at)
  const peer = (close: number | null, count = 0) => candle(count, { close }, eth)

  test('distrusts a series that leaves the band around the other one', () => {
    expect(judge(101, peer(100))).toBeNull()
    expect(judge(99, peer(100))).toBeNull()
    expect(judge(101.1, peer(100))).toEqual({
      status: 'suspect',
      cause: 'disagreement',
      reason: '"close" differs from binance:ETHUSDT:candle:1m by 1.1 %, more than 1 %',
    })
    expect(judge(98.9, peer(100))).toMatchObject({ cause: 'disagreement' })
  })

  test('distrusts a series that cannot be compared', () => {
    const cause = 'no comparison'
    expect(judge(100, null)).toMatchObject({ cause, reason: expect.stringMatching(/has no records yet$/) })
    expect(judge(100, peer(100, -1))).toBeNull()
    expect(judge(100, peer(100, -2))).toMatchObject({
      cause,
      reason:
        'binance:ETHUSDT:candle:1m, which it must agree with, has had no new record since 2026-03-01T09:59:00.000Z',
    })
    expect(judge(null, peer(100))).toMatchObject({ cause, reason: 'its value "close" is not a number' })
    expect(judge(100, peer(null))).toMatchObject({ cause })
  })
})

describe('whether a series is trusted', () => {
  const closes = fc.array(fc.constantFrom(90, 100, 100, 100, 101, 150), { minLength: 1, maxLength: 12 })
  const gates = fc.record({
    frozenAfter: fc.option(fc.integer({ min: 2, max: 5 })),
    maxJump: fc.option(fc.constantFrom({ watch: 'close', limit: 0.05 }, { watch: 'close', limit: 0.4 })),
    agree: fc.option(fc.constantFrom(agrees(0.01).agree, agrees(0.3).agree).map((agree) => agree!)),
  })
  const other = candle(11, { close: 100 }, eth)

  test('depends on no more records than the gate requests', () => {
    fc.assert(
      fc.property(closes, gates, (values, gate) => {
        const all = series(...values)
        const some = all.slice(-Math.max(1, gateRecordCount(gate)))
        expect(judgeSeries(gate, some, other, minute(12))).toEqual(judgeSeries(gate, all, other, minute(12)))
      }),
    )
  })

  test('equals the first failing option checked separately', () => {
    fc.assert(
      fc.property(closes, gates, (values, gate) => {
        const judge = (one: FeedGate) => judgeSeries(one, series(...values), other, minute(12))
        const each = [
          judge({ ...none, frozenAfter: gate.frozenAfter }),
          judge({ ...none, maxJump: gate.maxJump }),
          judge({ ...none, agree: gate.agree }),
        ]
        expect(judge(gate)).toEqual(each.find((distrust) => distrust !== null) ?? null)
      }),
    )
  })

  test('returns after as many different, calm records as the gate reads', () => {
    fc.assert(
      fc.property(closes, gates, (values, gate) => {
        const calm = Array.from(
          { length: Math.max(4, gateRecordCount(gate)) + 1 },
          (_, index) => 100 + (index % 2) / 10,
        )
        const all = series(...values, ...calm)
        const at = (all.at(-1) as (typeof all)[number]).knownAt
        const near = { ...candle(0, { close: 100 }, eth), knownAt: at }
        expect(judgeSeries(gate, all, near, at)).toBeNull()
        expect(all.at(-1)).toMatchObject(btc)
      }),
    )
  })
})
