import { afterEach, describe, expect, test } from 'vitest'
import { zone } from '../data/preferences.ts'
import { ago, clockOf, clockTime, countdown, duration, instant, msOf } from './times.ts'

const minute = 60_000
const day = 1_440 * minute

describe('times', () => {
  afterEach(() => {
    zone.value = 'utc'
  })

  test.each([
    [0, '0 s'],
    [59_999, '59 s'],
    [12 * minute, '12 min'],
    [190 * minute, '3 h 10 min'],
    [180 * minute, '3 h'],
    [5 * day + 250 * minute, '5 d 4 h'],
    [-5, '0 s'],
  ])('%s ms is %s long', (ms, text) => {
    expect(duration(ms)).toBe(text)
  })

  test.each([
    [-1, '0:00'],
    [59_999, '0:59'],
    [12 * minute + 5_000, '12:05'],
    [61 * minute, '1 h 1 min'],
  ])('%s ms left is %s', (ms, text) => {
    expect(countdown(ms)).toBe(text)
  })

  test('lie before or after now', () => {
    expect([ago(5_000), ago(-2 * minute)]).toEqual(['5 s ago', 'in 2 min'])
  })

  test('are counted from the clock that noted them', () => {
    const [replay, wall] = [Date.UTC(2013, 4, 27), Date.UTC(2026, 11, 1)]
    // A record and the end of a period of the replay; what a worker noted, and what it will do next.
    expect([replay - day, replay + 90 * day].map((ms) => clockOf(ms, replay, wall))).toEqual([replay, replay])
    expect([wall - 3 * day, wall + minute].map((ms) => clockOf(ms, replay, wall))).toEqual([wall, wall])
  })

  test('of chart series are UTC, though no zone says so', () => {
    expect(msOf('2026-03-01T10:00:00.000')).toBe(msOf('2026-03-01T10:00:00.000Z'))
    expect(msOf('2026-03-01T10:00:00.000+01:00')).toBe(Date.UTC(2026, 2, 1, 9))
  })

  test('are shown in UTC unless the viewer chose the zone of the machine', () => {
    const ms = Date.UTC(2026, 2, 1, 10, 20, 5)
    expect([instant(ms), clockTime(ms)]).toEqual(['2026-03-01 10:20:05', '10:20'])
    zone.value = 'local'
    expect(instant(ms)).toBe(new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium' }).format(ms))
  })
})
