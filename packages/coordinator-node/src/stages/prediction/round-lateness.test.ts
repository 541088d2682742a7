import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { btc, minute, schedule } from '../../ports/store-samples.ts'
import { type RoundLateness, roundLateness } from './round-lateness.ts'

const seconds = (count: number) => count * 1_000
const opens = (timeoutMs: number): RoundLateness => ({ kind: 'opens', timeoutMs })
const tooLate: RoundLateness = { kind: 'too-late' }

/** One-minute candles, a horizon of five minutes, a time-out of ten seconds. */
const slow = schedule()
/** One-second candles, a horizon of ten seconds, a time-out of four seconds. */
const quick = schedule({ scope: { ...btc, granularity: '1s' }, horizonMs: seconds(10) })
const byClock = schedule({ on: 'clock' })

const judge = (of: typeof slow, lateMs: number, timeoutMs = seconds(10)) =>
  roundLateness(of, timeoutMs, minute(0), minute(0) + lateMs)

describe('roundLateness', () => {
  test('opens a round up to one granularity late, with the whole time-out', () => {
    expect(judge(slow, 0)).toEqual(opens(seconds(10)))
    expect(judge(slow, seconds(60))).toEqual(opens(seconds(10)))
    expect(judge(slow, seconds(60) + 1)).toEqual(tooLate)
  })

  test('allows records of granularity 1s five seconds to arrive', () => {
    expect(judge(quick, seconds(5), seconds(4))).toEqual(opens(seconds(4)))
    expect(judge(quick, seconds(5) + 1, seconds(4))).toEqual(tooLate)
  })

  test('opens a clock round up to a second late', () => {
    expect(judge(byClock, seconds(1))).toEqual(opens(seconds(10)))
    expect(judge(byClock, seconds(1) + 1)).toEqual(tooLate)
  })

  test('shortens the time-out, so that answers can be stored before the horizon', () => {
    // One second is reserved for storing.
    expect(judge(quick, seconds(4), seconds(8))).toEqual(opens(seconds(5)))
    expect(judge(quick, seconds(5), seconds(8))).toEqual(opens(seconds(4)))
  })

  test('opens no round with less than half of the time-out left', () => {
    expect(judge(quick, seconds(5), seconds(8) + 1)).toEqual(tooLate)
  })

  test('opens no round after its horizon, for any granularity and time-out', () => {
    const shorter = schedule({ horizonMs: seconds(30) })
    expect(judge(shorter, seconds(30), 1)).toEqual(tooLate)
    expect(judge(shorter, seconds(29), 1)).toEqual(tooLate)
    expect(judge(shorter, seconds(28), 1)).toEqual(opens(1))
  })

  test('treats a clock that is behind the record as on time', () => {
    expect(judge(quick, seconds(-60), seconds(20))).toEqual(tooLate)
    expect(judge(quick, seconds(-60), seconds(9))).toEqual(opens(seconds(9)))
  })

  test('always ends the time-out before the horizon', () => {
    const whole = (min: number, max: number) => fc.integer({ min, max })
    fc.assert(
      fc.property(whole(1, 100_000), whole(1, 100_000), whole(-5_000, 200_000), (horizonMs, timeoutMs, lateMs) => {
        const judged = judge(schedule({ horizonMs }), lateMs, timeoutMs)
        if (judged.kind === 'too-late') return
        expect(judged.timeoutMs).toBeGreaterThanOrEqual(timeoutMs / 2)
        expect(judged.timeoutMs).toBeLessThanOrEqual(timeoutMs)
        expect(Math.max(0, lateMs) + judged.timeoutMs).toBeLessThan(horizonMs)
      }),
    )
  })
})
