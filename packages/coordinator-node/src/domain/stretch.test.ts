import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { minute, minuteMs } from '../ports/store-samples.ts'
import { holesIn, missingCount } from './stretch.ts'

describe('holes', () => {
  test('are the parts of a stretch without records', () => {
    const stretch = { from: minute(0), to: minute(6) }
    expect(holesIn(stretch, minuteMs, [])).toEqual([stretch])
    expect(holesIn(stretch, minuteMs, [3, 1, 9, -1].map(minute))).toEqual([
      { from: minute(0), to: minute(1) },
      { from: minute(2), to: minute(3) },
      { from: minute(4), to: minute(6) },
    ])
    expect(missingCount(stretch, minuteMs)).toBe(6)
  })

  test('and records together cover a stretch', () => {
    const present = fc.uniqueArray(fc.integer({ min: -3, max: 23 }))
    fc.assert(
      fc.property(present, (counts) => {
        const stretch = { from: minute(0), to: minute(20) }
        const holes = holesIn(stretch, minuteMs, counts.map(minute))
        const inside = counts.filter((count) => count >= 0 && count < 20).length
        expect(holes.reduce((sum, hole) => sum + missingCount(hole, minuteMs), inside)).toBe(20)
        for (const count of counts) {
          expect(holes.some(({ from, to }) => from <= minute(count) && minute(count) < to)).toBe(false)
        }
      }),
    )
  })
})
