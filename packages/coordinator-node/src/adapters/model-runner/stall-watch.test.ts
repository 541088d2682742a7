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

/** Two clocks that a test moves, and a watch on them. */
function openWatch() {
  const now = { monotonic: 5_000, wall: Date.UTC(2026, 2, 1) }
  const opened = startStallWatch({ monotonic: () => now.monotonic, wall: () => now.wall })
  watch = opened
  return {
    watch: opened,
    /** The process stands still, or one of the clocks jumps: no timer fires. */
    stall(monotonicMs: number, wallMs: number) {
      now.monotonic += monotonicMs
      now.wall += wallMs
    },
    /** The process is well: timers fire in time. */
    run(lengthMs: number) {
      for (let passed = 0; passed < lengthMs; passed += 10) {
        now.monotonic += 10
        now.wall += 10
        vi.advanceTimersByTime(10)
      }
    },
  }
}

describe('a process that stood still', () => {
  test.each([
    ['was stopped', 22_000, 22_000],
    ['was on a machine that was suspended', 0, 22_000],
    ['had its wall clock set ahead', 0, 22_000],
    ['had its wall clock set back meanwhile', 22_000, -3_600_000],
  ])('knows how long, before and after its timers have fired, when it %s', (_, monotonicMs, wallMs) => {
    const { watch, stall, run } = openWatch()
    run(1_000)
    expect(watch.lostMs()).toBe(0)
    stall(monotonicMs, wallMs)
    // Within 250 ms nothing was lost.
    expect(watch.lostMs()).toBeGreaterThanOrEqual(21_750)
    run(5_000)
    expect(watch.lostMs()).toBeGreaterThanOrEqual(21_750)
    expect(watch.lostMs()).toBeLessThanOrEqual(22_100)
  })

  test('adds up what it lost', () => {
    const { watch, stall, run } = openWatch()
    for (let count = 0; count < 3; count += 1) {
      run(500)
      stall(1_000, 1_000)
    }
    run(500)
    expect(watch.lostMs()).toBeGreaterThan(2_000)
  })
})

test('a process that is busy loses nothing, nor does one whose wall clock is set back', () => {
  const { watch, stall, run } = openWatch()
  for (let count = 0; count < 100; count += 1) {
    stall(60, 60)
    run(100)
  }
  stall(0, -3_600_000)
  run(1_000)
  expect(watch.lostMs()).toBe(0)
})

describe('the time of a dispatch', () => {
  test('is over by the clock that went further', () => {
    for (const [monotonicMs, wallMs] of [
      [1_001, 0],
      [0, 1_001],
      [1_001, -3_600_000],
    ] as const) {
      const { watch, stall } = openWatch()
      const expiry = startExpiry(1_000, watch)
      expect(expiry.isOver()).toBe(false)
      stall(monotonicMs, wallMs)
      // No timer has fired: whoever asks first knows it.
      expect(expiry.isOver()).toBe(true)
      expect(expiry.remainingMs()).toBe(0)
      expect(expiry.hasExpired()).toBe(false)
    }
  })

  test('is not over for an answer that is read in time, however long the process stood still before', () => {
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
  ])('was stalled when a tenth of it was lost, a quarter of a second to a second: %s', (_, timeoutMs, stallMs) => {
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
    // The next one is not.
    expect(startExpiry(timeoutMs, watch).wasStalled()).toBe(false)
  })

  test('was not stalled by what was lost before it began', () => {
    const { watch, stall, run } = openWatch()
    stall(22_000, 22_000)
    const expiry = startExpiry(1_000, watch)
    run(1_000)
    expect(expiry.wasStalled()).toBe(false)
  })

  test('is the monotonic one alone for models of this process, whose own work keeps it busy', () => {
    const expiry = startExpiry(1_000)
    expect(expiry.wasStalled()).toBe(false)
    expect(expiry.isOver()).toBe(false)
    expect(expiry.remainingMs()).toBeGreaterThan(0)
  })
})
