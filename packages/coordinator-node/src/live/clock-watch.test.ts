import { expect, test } from 'vitest'
import { createClockWatch } from './clock-watch.ts'

test('reports a backward jump once, with its size', () => {
  const jumpMs = createClockWatch(1_000_000, 500)
  expect(jumpMs(1_005_000, 5_500)).toBeNull()
  // After five more seconds the wall clock shows three seconds less instead of five more.
  expect(jumpMs(1_002_000, 10_500)).toBe(-8_000)
  expect(jumpMs(1_007_000, 15_500)).toBeNull()
})

test('detects a backward jump that is smaller than the time between two checks', () => {
  const jumpMs = createClockWatch(0, 0)
  expect(jumpMs(2_000, 5_000)).toBe(-3_000)
})

test('reports a forward jump, as after a suspended machine', () => {
  const jumpMs = createClockWatch(0, 0)
  expect([jumpMs(7_205_000, 5_000), jumpMs(7_210_000, 10_000)]).toEqual([7_200_000, null])
})

test('ignores small corrections', () => {
  const jumpMs = createClockWatch(0, 0)
  expect([jumpMs(4_500, 5_000), jumpMs(14_000, 10_000)]).toEqual([null, null])
})
