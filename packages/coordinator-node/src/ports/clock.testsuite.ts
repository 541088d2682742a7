import { describe, expect, test } from 'vitest'
import type { Instant } from '../domain/time.ts'
import type { Clock } from './clock.ts'

/** A clock under test, and a way to make its time go on where it does not by itself. */
export interface OpenedClock {
  readonly clock: Clock
  /** Makes time reach an instant, as far as the world outside the clock is concerned. */
  advanceTo?(at: Instant): void
}

/** What every clock promises. */
export function clockTestsuite(name: string, open: () => OpenedClock): void {
  describe(`${name} clock`, () => {
    test('answers whole milliseconds, the same from now and refresh when nothing passes in between', async () => {
      const { clock } = open()
      const refreshed = await clock.refresh()
      expect(Number.isSafeInteger(refreshed)).toBe(true)
      expect(clock.now()).toBeGreaterThanOrEqual(refreshed)
    })

    test('lets what has come meanwhile be served, and then one caller after the other go on', async () => {
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

    test('never goes back', async () => {
      const { clock, advanceTo } = open()
      advanceTo?.(2_000)
      const later = await clock.refresh()
      advanceTo?.(1_000)
      expect(await clock.refresh()).toBeGreaterThanOrEqual(later)
      expect(clock.now()).toBeGreaterThanOrEqual(later)
    })

    test('reaches what it is advanced to, after a refresh', async () => {
      const { clock, advanceTo } = open()
      if (advanceTo === undefined) return expect(Math.abs((await clock.refresh()) - Date.now())).toBeLessThan(60_000)
      advanceTo(5_000)
      expect(await clock.refresh()).toBe(5_000)
      expect(clock.now()).toBe(5_000)
    })
  })
}
