import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type EpochUnit, readEpoch, readInstant } from './instant-text.ts'
import { formatInstant } from './time.ts'

const year2026 = Date.UTC(2026, 2, 1)
const isoOf = (value: unknown) => {
  const { at } = readInstant(value)
  return at === undefined ? undefined : formatInstant(at)
}
const causeOf = (value: unknown) => {
  const reading = readInstant(value)
  return reading.at === undefined ? reading.cause : `read as ${formatInstant(reading.at)}`
}

describe('dates', () => {
  it.each([
    ['2026-03-01', year2026],
    ['0099-03-01', new Date('0099-03-01T00:00:00Z').getTime()],
    ['2026-03-01T10:00', Date.UTC(2026, 2, 1, 10)],
    ['2026-03-01 10:00:05', Date.UTC(2026, 2, 1, 10, 0, 5)],
    ['2026-03-01T10:00:05.1234567Z', Date.UTC(2026, 2, 1, 10, 0, 5, 123)],
    ['2026-03-01T10:00:05.5+02:00', Date.UTC(2026, 2, 1, 8, 0, 5, 500)],
    ['2026-03-01T10:00:05-0530', Date.UTC(2026, 2, 1, 15, 30, 5)],
    ['2026-03-01T10:00:05+02', Date.UTC(2026, 2, 1, 8, 0, 5)],
    ['2026-03-01 10:00:05 UTC', Date.UTC(2026, 2, 1, 10, 0, 5)],
    ['20260301T100005Z', Date.UTC(2026, 2, 1, 10, 0, 5)],
    ['2024-02-29', Date.UTC(2024, 1, 29)],
    ['2000-02-29', Date.UTC(2000, 1, 29)],
  ])('reads %s', (text, at) => {
    expect(readInstant(text)).toMatchObject({ at, format: 'date' })
  })

  it.each([
    ['20250101', '2025-01-01T00:00:00.000Z'],
    ['18950101', '1895-01-01T00:00:00.000Z'],
    [20250101, '2025-01-01T00:00:00.000Z'],
    ['20250101.0', '2025-01-01T00:00:00.000Z'],
    ['202501010010', '2025-01-01T00:10:00.000Z'],
    ['189501010010', '1895-01-01T00:10:00.000Z'],
    ['20250101001030', '2025-01-01T00:10:30.000Z'],
    ['20250101001030123', '2025-01-01T00:10:30.123Z'],
  ])('reads the compact date %s', (value, time) => {
    expect(isoOf(value)).toBe(time)
  })

  it.each([
    ['2026-02-29', '2026-02 has 28 days'],
    ['1900-02-29', '1900-02 has 28 days'],
    ['2025-02-30', '2025-02 has 28 days'],
    ['2025-04-31T10:00Z', '2025-04 has 30 days'],
    ['2026-13-01', 'there is no month 13'],
    ['2026-00-01', 'there is no month 00'],
    ['2026-01-00', '2026-01 has 31 days'],
    ['2026-03-01T24:00', 'there is no hour 24'],
    ['2026-03-01T24:30', 'there is no hour 24'],
    ['2026-03-01T10:60', 'there is no minute 60'],
    ['2026-03-01T10:00:60', 'there is no second 60'],
    ['2026-03-01T10:00+15:00', 'there is no zone +15:00'],
    ['20250230', '2025-02 has 28 days'],
    ['202513010000', 'there is no month 13'],
    ['202501012430', 'there is no hour 24'],
    ['20250101006000', 'there is no minute 60'],
    [20251301, 'there is no month 13'],
  ])('refuses %s, which is not in the calendar', (value, cause) => {
    expect(causeOf(value)).toBe(cause)
  })

  it('reports that UTC is assumed for a time of day without a zone', () => {
    const assumes = ['2026-03-01T10:00', '2026-03-01 10:00:00', '202603011000', '20260301T1000']
    const knows = ['2026-03-01', '20260301', '2026-03-01T10:00Z', '2026-03-01T10:00+01:00', '1772323200000']
    expect(assumes.map(readInstant)).toEqual(assumes.map(() => expect.objectContaining({ assumesUtc: true })))
    expect(knows.map(readInstant)).toEqual(knows.map(() => expect.objectContaining({ assumesUtc: false })))
  })
})

describe('epochs', () => {
  it.each([
    ['1772323200', 's', year2026],
    // These digits are not a date: there is no month 99.
    ['1999990000', 's', 1_999_990_000_000],
    ['1772323200.25', 's', year2026 + 250],
    [1_772_323_200.123, 's', year2026 + 123],
    ['1772323200000', 'ms', year2026],
    ['1772323200000.9', 'ms', year2026],
    [1_772_323_200_000, 'ms', year2026],
    ['1772323200000999', 'us', year2026],
    ['1772323200001000000', 'ns', year2026 + 1],
    [1_772_323_200_001_000_000, 'ns', year2026 + 1],
    [1_772_323_200_001_000_000n, 'ns', year2026 + 1],
    ['100000000', 's', 100_000_000_000],
    ['9999999999999999', 'us', 9_999_999_999_999],
  ] as const)('reads %s as %s', (value, format, at) => {
    expect(readInstant(value)).toEqual({ at, format, assumesUtc: false })
  })

  it.each([
    ['', /empty/],
    [undefined, /empty/],
    [null, /empty/],
    [{}, /no text/],
    [Number.NaN, /no known format/],
    ['2026', /4 digits/],
    ['202603', /6 digits/],
    ['12345678901', /11 digits/],
    ['1735700400000000000000', /22 digits/],
    ['-1735700400000', /negative/],
    ['1.7357e12', /scientific/],
    ['1.7e12', /scientific/],
    ['01/02/2026', /ambiguous/],
    ['01.02.2026 10:00', /ambiguous/],
    ['10:00', /without a date/],
    [' 2026-03-01', /blanks/],
    ['2026-03-01T10', /no known format/],
    ['2026-03-01Z', /no known format/],
    ['tomorrow', /no known format/],
    ['2025010112', /could be the date 2025-01-01T12:00:00.000Z or, in seconds since 1970, 2034-03-03T/],
    ['20250101.5', /no fraction/],
  ])('refuses %s', (value, cause) => {
    expect(causeOf(value)).toMatch(cause)
  })

  it('checks a known unit against the size of the number', () => {
    expect(readEpoch(1_772_323_200, 's')).toMatchObject({ at: year2026 })
    expect(readEpoch('1772323200000000', 'us')).toMatchObject({ at: year2026 })
    // Ambiguous without a known unit.
    expect(readEpoch(2_025_010_112, 's')).toMatchObject({ at: 2_025_010_112_000 })
    expect(readEpoch(1_772_323_200_000, 's')).toMatchObject({
      cause: 'it has the form of milliseconds, not of seconds',
    })
    expect(readEpoch('202601011159', 'ms')).toMatchObject({ cause: 'it has the form of a date, not of milliseconds' })
    expect(readEpoch('20260101', 's')).toMatchObject({ cause: 'it has the form of a date, not of seconds' })
    expect(readEpoch(null, 'ms')).toMatchObject({ cause: 'it is empty' })
  })
})

// From March 1973 to November 2286, as documented.
const instants = fc.integer({ min: 100_000_000_000, max: 9_999_999_999_999 })
const factors: Readonly<Record<EpochUnit, (at: number) => string>> = {
  s: (at) => `${Math.floor(at / 1_000)}.${String(at % 1_000).padStart(3, '0')}`,
  ms: String,
  us: (at) => `${at}000`,
  ns: (at) => `${at}000000`,
}

describe('for every instant', () => {
  it('formatting and parsing give the same instant', () => {
    fc.assert(
      fc.property(instants, (at) => {
        const text = formatInstant(at)
        const local = text.slice(0, -1)
        const plain = text.replace(/[-:.TZ]/g, '')
        expect([text, local, local.replace('T', ' '), plain].map((it) => readInstant(it).at)).toEqual([at, at, at, at])
      }),
    )
  })

  it.each(['s', 'ms', 'us', 'ns'] as const)(
    'an epoch in %s is parsed as that instant, as a compact date, or refused',
    (unit) => {
      fc.assert(
        fc.property(instants, (at) => {
          const text = factors[unit](at)
          const reading = readInstant(text)
          if (reading.at !== undefined && reading.format === unit) expect(reading.at).toBe(at)
          // Milliseconds of 1975 and 1976 have the form of dates; seconds from 2032 to 2036 may have.
          else if (unit === 'ms') expect([1975, 1976]).toContain(new Date(at).getUTCFullYear())
          else {
            expect(unit).toBe('s')
            expect(reading.at).toBeUndefined()
          }
        }),
      )
    },
  )

  it('a known unit accepts only its own epochs', () => {
    const units = ['s', 'us', 'ns'] as const
    fc.assert(
      fc.property(instants, fc.constantFrom(...units), fc.constantFrom(...units), (at, written, asked) => {
        expect(readEpoch(factors[written](at), asked).at).toBe(written === asked ? at : undefined)
      }),
    )
  })

  it('no text is parsed as a time that is not in the calendar', () => {
    const part = fc.integer({ min: 0, max: 99 }).map((it) => String(it).padStart(2, '0'))
    fc.assert(
      fc.property(fc.tuple(part, part, part, part, part), ([month, day, hour, minute, second]) => {
        const text = `2025-${month}-${day}T${hour}:${minute}:${second}`
        const compactText = text.replace(/[-:T]/g, '')
        const { at } = readInstant(text)
        expect(readInstant(compactText).at).toBe(at)
        if (at !== undefined) expect(formatInstant(at).slice(0, 19)).toBe(text)
      }),
    )
  })

  it('no text throws', () => {
    fc.assert(fc.property(fc.anything(), (value) => void readInstant(value)))
    fc.assert(fc.property(fc.string(), (value) => void readEpoch(value, 's')))
  })
})
