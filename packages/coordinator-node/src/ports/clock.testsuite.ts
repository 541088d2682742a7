import { describe, expect, test } from 'vitest'
import type { Instant } from '../domain/time.ts'
import type { Clock } from './clock.ts'

/** A clock under test, and a way to advance its time if it does not advance by itself. */
export interface OpenedClock {
  readonly clock: Clock
  /** Advances the source of the clock's time to an instant. */
  advanceTo?(at: Instant): void
}

/** Conformance suite for clocks. */
export function clockTestsuite(name: string, open: () => OpenedClock): void {
  describe(`${name} clock`, () => {
    test('returns whole milliseconds, equal from now and refresh if no time passes', async () => {
      const { clock } = open()
      const refreshed = await clock.refresh()
      expect(Number.isSafeInteger(refreshed)).toBe(true)
      expect(clock.now()).toBeGreaterThanOrEqual(refreshed)
    })

    test('lets pending work run, then resumes its callers one after the other', async () => {
      const { clock } = open()
      const order: string[] = []
      setImmediate(() => order.push('served'))
      const first = clock.turn().then(() => {
        order.push('first')
        setImmediate(() => order.push('served again'))
      })
      await Promise.all([first, clock.turn().then(() => order.push('second'))])
      expect(order.indexOf('served')).toBeLessThan(order.indexOf('first'))
      expect(order.indexOf('first')).toBeLessThan(order.indexOf('second'))
      await new Promise((resolve) => setImmediate(resolve))
      expect(order).toContain('served again')
    })

    test('never decreases', async () => {
      const { clock, advanceTo } = open()
      advanceTo?.(2_000)
      const later = await clock.refresh()
      advanceTo?.(1_000)
      expect(await clock.refresh()).toBeGreaterThanOrEqual(later)
      expect(clock.now()).toBeGreaterThanOrEqual(later)
    })

    test('reaches the instant it is advanced to after a refresh', async () => {
      const { clock, advanceTo } = open()
      if (advanceTo === undefined) return expect(Math.abs((await clock.refresh()) - Date.now())).toBeLessThan(60_000)
      advanceTo(5_000)
      expect(await clock.refresh()).toBe(5_000)
      expect(clock.now()).toBe(5_000)
    })
  })
}
