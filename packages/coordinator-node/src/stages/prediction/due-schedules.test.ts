import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { minute, minuteMs, schedule } from '../../ports/store-samples.ts'
import { dueSchedules } from './due-schedules.ts'

// A grid of five minutes: its cells start at minutes 0, 5, 10, ...
const every5 = schedule({ everyMs: 5 * minuteMs })

function due(last: number | null, at: number, own = every5) {
  const lastTimes = new Map(last === null ? [] : [[own.key, minute(last)]])
  return dueSchedules([own], lastTimes, minute(at)).map(({ missedBefore }) => missedBefore)
}

describe('dueSchedules', () => {
  test('opens the first round of a schedule at once, without missed rounds', () => {
    expect(due(null, 3)).toEqual([0])
  })

  test('opens one round per grid cell, anywhere in the cell', () => {
    expect(due(0, 4)).toEqual([])
    expect(due(0, 5)).toEqual([0])
    expect(due(4, 5)).toEqual([0])
    expect(due(5, 9)).toEqual([])
    expect(due(3, 9)).toEqual([0])
  })

  test('counts whole cells without a round as missed', () => {
    expect(due(0, 10)).toEqual([1])
    expect(due(4, 27)).toEqual([4])
  })

  test('never opens a round before the last one', () => {
    expect(due(20, 5)).toEqual([])
    expect(due(20, 20)).toEqual([])
  })

  test('uses the own grid and last round of each schedule', () => {
    const hourly = schedule({ key: 'hourly', everyMs: 60 * minuteMs })
    const last = new Map([
      [every5.key, minute(0)],
      ['hourly', minute(0)],
    ])
    expect(dueSchedules([every5, hourly], last, minute(12))).toEqual([{ schedule: every5, missedBefore: 1 }])
    expect(dueSchedules([every5, hourly], last, minute(60)).map((entry) => entry.missedBefore)).toEqual([11, 0])
  })

  test('the sum of opened and missed rounds is the number of passed cells, for any records', () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(gaps, (steps) => {
        const last = new Map<string, number>()
        let at = 0
        let counted = 0
        for (const step of steps) {
          at += step
          for (const { missedBefore } of dueSchedules([every5], last, minute(at))) {
            counted += 1 + missedBefore
            last.set(every5.key, minute(at))
          }
        }
        const first = Math.floor((steps[0] ?? 0) / 5)
        expect(counted).toBe(Math.floor(at / 5) - first + 1)
      }),
    )
  })
})
