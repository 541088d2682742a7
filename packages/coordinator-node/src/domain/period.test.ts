import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { noRoundCanResolveBefore } from './period.ts'

// Horizon 300; a record is fresh for 30. Only rounds opened before 700 resolve before 1000.
const schedule = { horizonMs: 300, freshnessMs: 30, lastRoundAt: null }

describe('noRoundCanResolveBefore', () => {
  test('is true once a schedule has opened a round that resolves at the end or later', () => {
    expect(noRoundCanResolveBefore(1_000, 0, [{ ...schedule, lastRoundAt: 700 }])).toBe(true)
    expect(noRoundCanResolveBefore(1_000, 0, [{ ...schedule, lastRoundAt: 699 }])).toBe(false)
  })

  test('is true once a record for such a round would be too old, with a margin of one freshness', () => {
    expect(noRoundCanResolveBefore(1_000, 759, [schedule])).toBe(false)
    expect(noRoundCanResolveBefore(1_000, 760, [schedule])).toBe(true)
  })

  test('requires this of every schedule', () => {
    const done = { ...schedule, lastRoundAt: 700 }
    expect(noRoundCanResolveBefore(1_000, 0, [done, schedule])).toBe(false)
    expect(noRoundCanResolveBefore(1_000, 0, [done, done])).toBe(true)
    expect(noRoundCanResolveBefore(1_000, 0, [])).toBe(true)
  })

  test('stays true as time advances and rounds open in order', () => {
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
