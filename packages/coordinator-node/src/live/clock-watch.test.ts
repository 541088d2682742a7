import { expect, test } from 'vitest'
import { createClockWatch } from './clock-watch.ts'

test('notices a clock that jumps back, once, and by how much', () => {
  const wentBackMs = createClockWatch(1_000_000, 500)
  expect(wentBackMs(1_005_000, 5_500)).toBeNull()
  // Five seconds later it says three seconds less: it would have to say ten seconds more.
  expect(wentBackMs(1_002_000, 10_500)).toBe(8_000)
  expect(wentBackMs(1_007_000, 15_500)).toBeNull()
})

test('notices a jump that is hidden by the time in between', () => {
  const wentBackMs = createClockWatch(0, 0)
  expect(wentBackMs(2_000, 5_000)).toBe(3_000)
})

test('lets a clock be set right a little, and jump ahead', () => {
  const wentBackMs = createClockWatch(0, 0)
  expect([wentBackMs(4_500, 5_000), wentBackMs(60_000, 10_000), wentBackMs(65_000, 15_000)]).toEqual([null, null, null])
})
