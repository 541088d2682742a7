import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { noRoundCanResolveBefore } from './period.ts'

// Horizon 300, a record is fresh for 30: before 1000 only rounds resolve that opened before 700.
const schedule = { horizonMs: 300, freshnessMs: 30, lastRoundAt: null }

describe('noRoundCanResolveBefore', () => {
  test('holds once a schedule has opened a round that resolves at the end or later', () => {
    expect(noRoundCanResolveBefore(1_000, 0, [{ ...schedule, lastRoundAt: 700 }])).toBe(true)
    expect(noRoundCanResolveBefore(1_000, 0, [{ ...schedule, lastRoundAt: 699 }])).toBe(false)
  })

  test('holds once a record of such a round would be too old, with one freshness to spare', () => {
    expect(noRoundCanResolveBefore(1_000, 759, [schedule])).toBe(false)
    expect(noRoundCanResolveBefore(1_000, 760, [schedule])).toBe(true)
  })

  test('needs it of every schedule', () => {
    const done = { ...schedule, lastRoundAt: 700 }
    expect(noRoundCanResolveBefore(1_000, 0, [done, schedule])).toBe(false)
    expect(noRoundCanResolveBefore(1_000, 0, [done, done])).toBe(true)
    expect(noRoundCanResolveBefore(1_000, 0, [])).toBe(true)
  })

  test('is never taken back as time goes on and rounds open in order', () => {
    const instants = fc.integer({ min: 0, max: 2_000 })
    fc.assert(
      fc.property(instants, instants, instants, instants, (end, now, last, later) => {
        const before = noRoundCanResolveBefore(end, now, [{ ...schedule, lastRoundAt: last }])
        const after = noRoundCanResolveBefore(end, now + later, [{ ...schedule, lastRoundAt: last + later }])
        if (before) expect(after).toBe(true)
      }),
    )
  })
})
