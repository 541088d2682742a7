import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describeLength, durationMs, floorToGrid, formatDuration, formatInstant, parseDuration } from './time.ts'

describe('durations', () => {
  test.each([
    ['250ms', 250],
    ['15s', 15_000],
    ['5m', 300_000],
    ['24h', 86_400_000],
    ['3d', 259_200_000],
    ['2w', 1_209_600_000],
    ['0.5h', 1_800_000],
    ['1.001s', 1_001],
  ])('%s is %d ms', (text, lengthMs) => {
    expect(parseDuration(text)).toBe(lengthMs)
    expect(durationMs(text)).toBe(lengthMs)
  })

  test.each([
    '',
    '5',
    'm',
    '-5m',
    '0s',
    '0.0001s',
    '5 m',
    '24 hours',
    '1e3s',
    '5M',
    ' 5m',
    '5m ',
    '.5s',
    '9999999999999w',
  ])('%j is not a duration', (text) => {
    expect(parseDuration(text)).toBeUndefined()
    expect(() => durationMs(text)).toThrow(RangeError)
    expect(() => durationMs(text)).toThrow(`"${text}" is not a duration`)
  })

  test('whole milliseconds are restored after formatting, in shortest form and as decimal seconds', () => {
    const lengths = fc.oneof(
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    )
    fc.assert(
      fc.property(lengths, (lengthMs) => {
        expect(parseDuration(formatDuration(lengthMs))).toBe(lengthMs)
      }),
    )
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000_000 }), (lengthMs) => {
        const decimals = String(lengthMs % 1_000).padStart(3, '0')
        expect(parseDuration(`${Math.floor(lengthMs / 1_000)}.${decimals}s`)).toBe(lengthMs)
      }),
    )
  })

  test('the largest unit that divides a length is used for formatting', () => {
    expect([90_000, 3_600_000, 86_400_000, 604_800_000, 1_500, 60_000].map(formatDuration)).toEqual([
      '90s',
      '1h',
      '1d',
      '1w',
      '1500ms',
      '1m',
    ])
    expect(() => formatDuration(1.5)).toThrow('1.5 ms is not a whole number of milliseconds')
  })

  test('are described in their two largest units', () => {
    const lengths = [0, 999, 20_000, 200_000, 7_200_000, 7_201_000, 90_060_000]
    expect(lengths.map(describeLength)).toEqual(['0 s', '0 s', '20 s', '3 min 20 s', '2 h', '2 h', '1 d 1 h'])
  })
})

describe('instants', () => {
  test('a grid cell includes its start and excludes its end', () => {
    expect([0, 1, 59_999, 60_000, 60_001].map((at) => floorToGrid(at, 60_000))).toEqual([0, 0, 0, 60_000, 60_000])
  })

  test('every instant is in its cell', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: 1, max: 1e9 }), (at, stepMs) => {
        const start = floorToGrid(at, stepMs)
        expect(start % stepMs).toBe(0)
        expect(start <= at && at < start + stepMs).toBe(true)
      }),
    )
  })

  test('an instant is formatted in UTC with milliseconds', () => {
    expect(formatInstant(Date.UTC(2026, 2, 1, 10))).toBe('2026-03-01T10:00:00.000Z')
  })
})
