import { expect, test } from 'vitest'
import { createClockWatch } from './clock-watch.ts'

test('notices a clock that jumps back, once, and by how much', () => {
  const jumpMs = createClockWatch(1_000_000, 500)
  expect(jumpMs(1_005_000, 5_500)).toBeNull()
  // Five seconds later it says three seconds less: it would have to say ten seconds more.
  expect(jumpMs(1_002_000, 10_500)).toBe(-8_000)
  expect(jumpMs(1_007_000, 15_500)).toBeNull()
})

test('notices a jump that is hidden by the time in between', () => {
  const jumpMs = createClockWatch(0, 0)
  expect(jumpMs(2_000, 5_000)).toBe(-3_000)
})

test('notices a clock that jumps ahead, as after a sleep of the machine', () => {
  const jumpMs = createClockWatch(0, 0)
  expect([jumpMs(7_205_000, 5_000), jumpMs(7_210_000, 10_000)]).toEqual([7_200_000, null])
})

test('lets a clock be set right a little', () => {
  const jumpMs = createClockWatch(0, 0)
  expect([jumpMs(4_500, 5_000), jumpMs(14_000, 10_000)]).toEqual([null, null])
})
