import { describe, expect, test } from 'vitest'
import { clockTestsuite } from '../../ports/clock.testsuite.ts'
import { createReplayClock, createVirtualClock, wallClock } from './clocks.ts'

clockTestsuite('wall', () => ({ clock: wallClock }))

clockTestsuite('virtual', () => {
  const clock = createVirtualClock()
  return { clock, advanceTo: clock.advanceTo }
})

clockTestsuite('replay', () => {
  let newest = 0
  return {
    clock: createReplayClock(async () => newest),
    advanceTo(at) {
      newest = at
    },
  }
})

describe('the replay clock', () => {
  test('stands still between refreshes, and at 0 before the first record', async () => {
    let newest: number | null = null
    const clock = createReplayClock(async () => newest)
    expect(await clock.refresh()).toBe(0)
    newest = 7_000
    expect(clock.now()).toBe(0)
    expect(await clock.refresh()).toBe(7_000)
  })
})
