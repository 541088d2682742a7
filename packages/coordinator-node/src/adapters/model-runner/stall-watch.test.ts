import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { startExpiry } from './dispatch-expiry.ts'
import { type StallWatch, startStallWatch } from './stall-watch.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'setImmediate'] })
})

afterEach(() => {
  watch?.stop()
  vi.useRealTimers()
})

let watch: StallWatch | undefined

/** Two clocks controlled by the test, and a watch on them. */
function openWatch() {
  const now = { monotonic: 5_000, wall: Date.UTC(2026, 2, 1) }
  const opened = startStallWatch({ monotonic: () => now.monotonic, wall: () => now.wall })
  watch = opened
  return {
    watch: opened,
    /** The process stalls or a clock jumps: no timer fires. */
    stall(monotonicMs: number, wallMs: number) {
      now.monotonic += monotonicMs
      now.wall += wallMs
    },
    /** The process runs normally: timers fire on time. */
    run(lengthMs: number) {
      for (let passed = 0; passed < lengthMs; passed += 10) {
        now.monotonic += 10
        now.wall += 10
        vi.advanceTimersByTime(10)
      }
    },
  }
}

describe('a process that stalled', () => {
  test.each([
    ['was stopped', 22_000, 22_000],
    ['was on a machine that was suspended', 0, 22_000],
    ['had its wall clock set ahead', 0, 22_000],
    ['had its wall clock set back meanwhile', 22_000, -3_600_000],
  ])('measures the stall, before and after its timers have fired, when it %s', (_, monotonicMs, wallMs) => {
    const { watch, stall, run } = openWatch()
    run(1_000)
    expect(watch.lostMs()).toBe(0)
    stall(monotonicMs, wallMs)
    // Gaps up to 250 ms are not stalls.
    expect(watch.lostMs()).toBeGreaterThanOrEqual(21_750)
    run(5_000)
    expect(watch.lostMs()).toBeGreaterThanOrEqual(21_750)
    expect(watch.lostMs()).toBeLessThanOrEqual(22_100)
  })

  test('adds up its stalls', () => {
    const { watch, stall, run } = openWatch()
    for (let count = 0; count < 3; count += 1) {
      run(500)
      stall(1_000, 1_000)
    }
    run(500)
    expect(watch.lostMs()).toBeGreaterThan(2_000)
  })
})

test('neither a busy process nor a wall clock that is set back counts as a stall', () => {
  const { watch, stall, run } = openWatch()
  for (let count = 0; count < 100; count += 1) {
    stall(60, 60)
    run(100)
  }
  stall(0, -3_600_000)
  run(1_000)
  expect(watch.lostMs()).toBe(0)
})

describe('the time limit of a dispatch', () => {
  test('is measured by the clock that advanced further', () => {
    for (const [monotonicMs, wallMs] of [
      [1_001, 0],
      [0, 1_001],
      [1_001, -3_600_000],
    ] as const) {
      const { watch, stall } = openWatch()
      const expiry = startExpiry(1_000, watch)
      expect(expiry.isOver()).toBe(false)
      stall(monotonicMs, wallMs)
      // The first query detects the stall, even before any timer has fired.
      expect(expiry.isOver()).toBe(true)
      expect(expiry.remainingMs()).toBe(0)
      expect(expiry.hasExpired()).toBe(false)
    }
  })

  test('accepts an answer that is read in time, even after a long stall before the dispatch', () => {
    const { watch, stall } = openWatch()
    stall(22_000, 22_000)
    const expiry = startExpiry(1_000, watch)
    stall(900, 900)
    expect(expiry.isOver()).toBe(false)
  })

  test.each([
    ['short', 300, 250],
    ['of seconds', 5_000, 500],
    ['long', 60_000, 1_000],
  ])('counts as stalled once a tenth of it, at least 250 ms and at most 1 s, was lost: %s', (_, timeoutMs, stallMs) => {
    const { watch, stall, run } = openWatch()
    run(1_000)
    const expiry = startExpiry(timeoutMs, watch)
    stall(stallMs + 100, stallMs + 100)
    expect(expiry.wasStalled()).toBe(false)
    run(timeoutMs)
    expect(expiry.wasStalled()).toBe(false)
    stall(stallMs + 300, stallMs + 300)
    expect(expiry.wasStalled()).toBe(true)
    run(timeoutMs)
    expect(expiry.wasStalled()).toBe(true)
    // The next dispatch is not stalled.
    expect(startExpiry(timeoutMs, watch).wasStalled()).toBe(false)
  })

  test('ignores stalls before its start', () => {
    const { watch, stall, run } = openWatch()
    stall(22_000, 22_000)
    const expiry = startExpiry(1_000, watch)
    run(1_000)
    expect(expiry.wasStalled()).toBe(false)
  })

  test('is measured by the monotonic clock alone for in-process models, which keep this process busy themselves', () => {
    const expiry = startExpiry(1_000)
    expect(expiry.wasStalled()).toBe(false)
    expect(expiry.isOver()).toBe(false)
    expect(expiry.remainingMs()).toBeGreaterThan(0)
  })
})
